{# CloudTrail's time as text (2026-11-22T23:58:00Z) as a UTC timestamp; NULL where it is not written so. #}
{% macro timestamp_of(text) -%}
    case
        when {{ regexp_like(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$') }}
            then try_cast(replace(replace({{ text }}, 'T', ' '), 'Z', '') as timestamp)
    end
{%- endmacro %}
