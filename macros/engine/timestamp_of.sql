{# CloudTrail's time as text (2026-11-22T23:58:00Z) as a UTC timestamp; NULL where it is not written so. #}
{% macro timestamp_of(text) -%}
    case
        when {{ text }} like '____-__-__T__:__:__Z'
            then try_cast(substr({{ text }}, 1, 10) || ' ' || substr({{ text }}, 12, 8) as timestamp)
    end
{%- endmacro %}
