{# A text of a log record, NULL where the writer left it empty or wrote the word null. The embedded reader has done so
   already: a column that is passed through as it is lets DuckDB skip rows before it works on them. #}
{% macro known(text) %}
    {{- return(adapter.dispatch('known')(text)) -}}
{% endmacro %}

{% macro duckdb__known(text) -%}
    {{ text }}
{%- endmacro %}

{% macro athena__known(text) -%}
    case when {{ text }} not in ('', 'null') then {{ text }} end
{%- endmacro %}
