{# Whether a text holds a match of a regular expression that does not match the empty text (RE2 and Java understand the
   ones used here alike); NULL is no match. #}
{% macro regexp_like(text, pattern) -%}
    coalesce(regexp_extract({{ text }}, '{{ pattern }}'), '') <> ''
{%- endmacro %}
