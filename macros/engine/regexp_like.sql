{# RE2 and Java read the patterns used here alike; NULL is no match. #}
{% macro regexp_like(text, pattern) -%}
    coalesce(regexp_extract({{ text }}, '{{ pattern }}'), '') <> ''
{%- endmacro %}
