{% macro array_map(array, expression) %}
    {{- return(adapter.dispatch('array_map')(array, expression)) -}}
{% endmacro %}

{% macro duckdb__array_map(array, expression) -%}
    list_transform({{ array }}, lambda element : {{ expression }})
{%- endmacro %}

{% macro athena__array_map(array, expression) -%}
    transform({{ array }}, element -> {{ expression }})
{%- endmacro %}
