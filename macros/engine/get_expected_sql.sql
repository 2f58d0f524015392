{# In place of dbt's own, as get_fixture_sql is. #}
{% macro get_expected_sql(rows, column_name_to_data_types, column_name_to_quoted) %}
    {%- if rows -%}
    select * from {{ fixture_rows(rows, column_name_to_data_types, column_name_to_quoted).relation }}
    {%- else -%}
    select * from dbt_internal_unit_test_actual limit 0
    {%- endif -%}
{% endmacro %}
