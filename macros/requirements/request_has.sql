{# Whether a request has a member that request_pattern asks for. #}
{% macro request_has(request, pattern) -%}
    coalesce(regexp_extract(lower({{ request }}), {{ pattern }}), '') <> ''
{%- endmacro %}
