{# What several top-level keys of a JSON text hold (text, number or boolean): an array in the order of the keys, without
   those that are empty or not there; no element where it is no JSON. #}
{% macro json_texts(json, keys) %}
    {{- return(adapter.dispatch('json_texts')(json, keys)) -}}
{% endmacro %}

{% macro duckdb__json_texts(json, keys) -%}
    coalesce(list_filter(list_transform(
        json_value(case when json_valid({{ json }}) then {{ json }} end, ['$.{{ keys | join("', '$.") }}']),
        lambda found : found ->> '$'
    ), lambda found : found <> ''), [])
{%- endmacro %}

{% macro athena__json_texts(json, keys) -%}
    filter(array[
        {%- for key in keys %}
        {{ json_text(json, '$.' ~ key) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ], found -> found <> '')
{%- endmacro %}
