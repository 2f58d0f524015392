{# The array has texts, numbers and booleans, in the order of the keys; it is empty if the text is not JSON. #}
{% macro json_texts(json, keys) %}
    {{- return(adapter.dispatch('json_texts')(json, keys)) -}}
{% endmacro %}

{% macro duckdb__json_texts(json, keys) -%}
    coalesce(list_filter(case
        when strlen({{ json }}) <= 20000 then list_transform(
            json_value(case when json_valid({{ json }}) then {{ json }} end, ['$.{{ keys | join("', '$.") }}']),
            lambda found : found ->> '$'
        )
        else pci_json_texts({{ json }}, ['$.{{ keys | join("', '$.") }}'])
    end, lambda found : found <> ''), [])
{%- endmacro %}

{% macro athena__json_texts(json, keys) -%}
    filter(array[
        {%- for key in keys %}
        {{ json_text(json, '$.' ~ key) }}{{ ',' if not loop.last }}
        {%- endfor %}
    ], found -> found <> '')
{%- endmacro %}
