{% macro json_plain(json) %}
    {{- return(adapter.dispatch('json_plain')(json)) -}}
{% endmacro %}

{% macro duckdb__json_plain(json) -%}
    cast(json(case when json_valid({{ json }}) then {{ json }} end) as varchar)
{%- endmacro %}

{% macro athena__json_plain(json) -%}
    json_format(try(json_parse({{ json }})))
{%- endmacro %}
