{% macro sha256_text(text) %}
    {{- return(adapter.dispatch('sha256_text')(text)) -}}
{% endmacro %}

{% macro duckdb__sha256_text(text) -%}
    sha256({{ text }})
{%- endmacro %}

{% macro athena__sha256_text(text) -%}
    lower(to_hex(sha256(to_utf8({{ text }}))))
{%- endmacro %}
