{# The first group of a regular expression in a text; NULL where it does not match or holds nothing. #}
{% macro regexp_part(text, pattern) -%}
    nullif(regexp_extract({{ text }}, '{{ pattern }}', 1), '')
{%- endmacro %}
