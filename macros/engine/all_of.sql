{% macro all_of(array, condition) %}
    {{- return(adapter.dispatch('all_of')(array, condition)) -}}
{% endmacro %}

{% macro duckdb__all_of(array, condition) -%}
    list_bool_and(list_transform({{ array }}, lambda element : {{ condition }}))
{%- endmacro %}

{% macro athena__all_of(array, condition) -%}
    all_match({{ array }}, element -> {{ condition }})
{%- endmacro %}
