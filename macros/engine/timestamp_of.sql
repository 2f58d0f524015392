{% macro timestamp_of(text) -%}
    case
        -- DuckDB accepts an hour 24 and blanks for zeros, Athena does not; clients do not support a year 0
        when
            {{ text }} like '____-__-__T__:__:__Z' and {{ text }} not like '%T24:%' and {{ text }} not like '% %'
            and substr({{ text }}, 1, 4) between '1970' and '9999'
            then try_cast(substr({{ text }}, 1, 10) || ' ' || substr({{ text }}, 12, 8) as timestamp)
    end
{%- endmacro %}
