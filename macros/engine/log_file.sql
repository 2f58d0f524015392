{# The same text on either engine. The pattern includes the folders below AWSLogs/, since a folder above it may have a
   name that ends in AWSLogs, too. #}
{% macro log_file() %}
    {{- return(adapter.dispatch('log_file')()) -}}
{% endmacro %}

{% macro duckdb__log_file() -%}
    log_file
{%- endmacro %}

{% macro athena__log_file() -%}
    regexp_extract("$path", 'AWSLogs/(o-[a-z0-9]+/)?[^/]+/CloudTrail(-NetworkActivity)?/.*$')
{%- endmacro %}
