{# The embedded reader extracted them from the JSON, once for all models. #}
{% macro resource_arns() %}
    {{- return(adapter.dispatch('resource_arns')()) -}}
{% endmacro %}

{% macro duckdb__resource_arns() -%}
    resourcearns
{%- endmacro %}

{% macro athena__resource_arns() -%}
    nullif(array_join(transform(resources, found -> coalesce(found.arn, found.arnprefix)), chr(10)), '')
{%- endmacro %}
