{% macro inner_wildcards(pattern) -%}
    strlen(rtrim({{ pattern }}, '%')) - strlen(replace({{ pattern }}, '%', ''))
{%- endmacro %}
