{# What several top-level keys of a JSON text hold (text, number or boolean), one a line, in the order of the keys. #}
{% macro json_texts(json, keys) %}
    {{- return(adapter.dispatch('json_texts')(json, keys)) -}}
{% endmacro %}

{% macro duckdb__json_texts(json, keys) -%}
    nullif(array_to_string(list_transform(
        json_value(case when json_valid({{ json }}) then {{ json }} end, ['$.{{ keys | join("', '$.") }}']),
        lambda found : found ->> '$'
    ), chr(10)), '')
{%- endmacro %}

{% macro athena__json_texts(json, keys) -%}
    nullif(array_join(array[
        {%- for key in keys %}
        {{ json_text(json, '$.' ~ key) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ], chr(10)), '')
{%- endmacro %}
