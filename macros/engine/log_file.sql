{# The file that a row of the source was read from, from AWSLogs/ on: the same text on either engine. A folder above it
   may have a name that ends so, too. #}
{% macro log_file() %}
    {{- return(adapter.dispatch('log_file')()) -}}
{% endmacro %}

{% macro duckdb__log_file() -%}
    log_file
{%- endmacro %}

{% macro athena__log_file() -%}
    regexp_extract("$path", 'AWSLogs/(o-[a-z0-9]+/)?[^/]+/CloudTrail/.*$')
{%- endmacro %}
