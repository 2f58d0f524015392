{# The embedded target's incremental strategy: the day's earlier rows go and the new ones come in one transaction, so
   that a rerun which finds nothing leaves nothing, and a failing one leaves the earlier rows. #}
{% macro get_incremental_replace_run_date_sql(arg_dict) %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict['target_relation'] }} where run_date = {{ run_date_sql() }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}
