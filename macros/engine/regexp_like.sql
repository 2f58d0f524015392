{# Whether a text holds a match of a regular expression (RE2 and Java understand the ones used here alike). #}
{% macro regexp_like(text, pattern) %}
    {{- return(adapter.dispatch('regexp_like')(text, pattern)) -}}
{% endmacro %}

{% macro duckdb__regexp_like(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{% macro athena__regexp_like(text, pattern) -%}
    regexp_like({{ text }}, '{{ pattern }}')
{%- endmacro %}
