{# A group of the match stands in `by` as \1. #}
{% macro regexp_replace_all(text, pattern, by) %}
    {{- return(adapter.dispatch('regexp_replace_all')(text, pattern, by)) -}}
{% endmacro %}

{% macro duckdb__regexp_replace_all(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}', 'g')
{%- endmacro %}

{% macro athena__regexp_replace_all(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ by | replace('\\', '$') }}')
{%- endmacro %}
