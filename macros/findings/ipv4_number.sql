{% macro ipv4_number(address) -%}
    case
        when {{ regexp_like(address, '^[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}$') }} then
            {%- for factor in (16777216, 65536, 256, 1) %}
            cast(split_part({{ address }}, '.', {{ loop.index }}) as bigint) * {{ factor }}{{ ' +' if not loop.last }}
            {%- endfor %}
    end
{%- endmacro %}
