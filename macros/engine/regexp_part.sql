{# The first group of a regular expression in a text; NULL where it does not match. #}
{% macro regexp_part(text, pattern) %}
    {{- return(adapter.dispatch('regexp_part')(text, pattern)) -}}
{% endmacro %}

{% macro duckdb__regexp_part(text, pattern) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern }}', 1), '')
{%- endmacro %}

{% macro athena__regexp_part(text, pattern) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern }}', 1), '')
{%- endmacro %}
