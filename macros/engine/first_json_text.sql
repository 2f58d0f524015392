{# What the first of several top-level keys that is there and not empty holds (text, number or boolean), as text;
   NULL where none is. #}
{% macro first_json_text(json, keys) %}
    {{- return(adapter.dispatch('first_json_text')(json, keys)) -}}
{% endmacro %}

{% macro duckdb__first_json_text(json, keys) -%}
    {{ json_texts(json, keys) }}[1]
{%- endmacro %}

{% macro athena__first_json_text(json, keys) -%}
    coalesce(
        {%- for key in keys %}
        nullif({{ json_text(json, '$.' ~ key) }}, ''){{ ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}
