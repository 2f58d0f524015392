{# What is not well encoded, which either engine would stop at, is NULL. #}
{% macro url_decoded(text) %}
    {{- return(adapter.dispatch('url_decoded')(text)) -}}
{% endmacro %}

{% macro duckdb__url_decoded(text) -%}
    try(url_decode({{ text }}))
{%- endmacro %}

{% macro athena__url_decoded(text) -%}
    -- Trino takes + for a blank
    try(url_decode(replace({{ text }}, '+', '%2B')))
{%- endmacro %}
