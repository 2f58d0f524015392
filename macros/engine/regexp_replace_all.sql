{# A text with every match of a regular expression replaced; `\1` (Athena: `$1`) is written as the macro's `first`. #}
{% macro regexp_replace_all(text, pattern, first=false, by='') %}
    {{- return(adapter.dispatch('regexp_replace_all')(text, pattern, first, by)) -}}
{% endmacro %}

{% macro duckdb__regexp_replace_all(text, pattern, first, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ '\\1' if first }}' || {{ by }}, 'g')
{%- endmacro %}

{% macro athena__regexp_replace_all(text, pattern, first, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ '$1' if first }}' || {{ by }})
{%- endmacro %}
