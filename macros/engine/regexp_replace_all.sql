{% macro regexp_replace_all(text, pattern, by) %}
    {{- return(adapter.dispatch('regexp_replace_all')(text, pattern, by)) -}}
{% endmacro %}

{% macro duckdb__regexp_replace_all(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}', 'g')
{%- endmacro %}

{% macro athena__regexp_replace_all(text, pattern, by) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ by }}')
{%- endmacro %}
