{% macro refused_on() -%}
    {{ regexp_part('error_message', ' on resource: "?(arn:[^ "]+)') }}
{%- endmacro %}
