{% macro delivered_on() %}
    {{- return(adapter.dispatch('delivered_on')()) -}}
{% endmacro %}

{% macro duckdb__delivered_on() -%}
    run_date
{%- endmacro %}

{% macro athena__delivered_on() -%}
    {{ run_date_sql() }}
{%- endmacro %}
