{# In one transaction, so a rerun that finds nothing leaves no rows, and one that fails leaves the earlier rows. #}
{% macro get_incremental_replace_run_date_sql(arg_dict) %}
    {% set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') %}
    delete from {{ arg_dict['target_relation'] }} where run_date = {{ run_date_sql() }};
    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arg_dict['temp_relation'] }}
{% endmacro %}
