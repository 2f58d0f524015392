{# The embedded reader has done this already: passing the column through unchanged lets DuckDB skip rows before it
   works on them. #}
{% macro known(text) %}
    {{- return(adapter.dispatch('known')(text)) -}}
{% endmacro %}

{% macro duckdb__known(text) -%}
    {{ text }}
{%- endmacro %}

{% macro athena__known(text) -%}
    case when {{ text }} not in ('', 'null') then {{ text }} end
{%- endmacro %}
