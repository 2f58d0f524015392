{% macro json_text(json, path) %}
    {{- return(adapter.dispatch('json_text')(json, path)) -}}
{% endmacro %}

{% macro duckdb__json_text(json, path) -%}
    (json_value(case when json_valid({{ json }}) then {{ json }} end, '{{ path }}') ->> '$')
{%- endmacro %}

{% macro athena__json_text(json, path) -%}
    {#- a key with a hyphen has to stand in brackets -#}
    json_extract_scalar({{ json }}, '{{ '$["' ~ path[2:] ~ '"]' if '-' in path else path }}')
{%- endmacro %}
