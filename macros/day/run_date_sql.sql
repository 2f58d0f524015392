{# The day under review as an SQL date. #}
{% macro run_date_sql() %}date '{{ run_date() }}'{% endmacro %}
