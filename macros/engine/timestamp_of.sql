{# CloudTrail's time as text (2026-11-22T23:58:00Z) as a UTC timestamp; NULL where it is not written so. #}
{% macro timestamp_of(text) -%}
    case
        -- DuckDB knows an hour 24 and blanks for zeros, Athena does not; clients know no year 0
        when
            {{ text }} like '____-__-__T__:__:__Z' and {{ text }} not like '%T24:%' and {{ text }} not like '% %'
            and substr({{ text }}, 1, 4) between '1970' and '9999'
            then try_cast(substr({{ text }}, 1, 10) || ' ' || substr({{ text }}, 12, 8) as timestamp)
    end
{%- endmacro %}
