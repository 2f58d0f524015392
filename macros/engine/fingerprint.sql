{# Stands for a text that may be long, so that DuckDB has room for those of all findings; NULL for NULL. #}
{% macro fingerprint(text) %}
    {{- return(adapter.dispatch('fingerprint')(text)) -}}
{% endmacro %}

{% macro duckdb__fingerprint(text) -%}
    md5({{ text }})
{%- endmacro %}

{% macro athena__fingerprint(text) -%}
    {{ text }}
{%- endmacro %}
