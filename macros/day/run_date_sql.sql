{% macro run_date_sql() %}date '{{ run_date() }}'{% endmacro %}
