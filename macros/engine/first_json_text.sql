{% macro first_json_text(json, keys) %}
    {{- return(adapter.dispatch('first_json_text')(json, keys)) -}}
{% endmacro %}

{% macro duckdb__first_json_text(json, keys) -%}
    {{ json_texts(json, keys) }}[1]
{%- endmacro %}

{% macro athena__first_json_text(json, keys) -%}
    coalesce(
        {%- for key in keys %}
        nullif({{ json_text(json, '$.' ~ key) }}, ''),
        {%- endfor %}
        null
    )
{%- endmacro %}
