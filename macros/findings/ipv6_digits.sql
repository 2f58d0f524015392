{# The groups that `::` stands for are written out, each group with four digits. #}
{% macro ipv6_digits(address) -%}
    {%- set left = "coalesce(nullif(split_part(" ~ address ~ ", '::', 1), ''), '0')" -%}
    {%- set right = "coalesce(nullif(split_part(" ~ address ~ ", '::', 2), ''), '0')" -%}
    {%- set colons -%}
        length({{ left }} || {{ right }}) - length(replace({{ left }} || {{ right }}, ':', ''))
    {%- endset -%}
    {%- set whole -%}
        case
            when {{ address }} like '%::%' then
                {{ left }} || ':' || rpad('', cast(greatest(0, 12 - 2 * ({{ colons }})) as integer), '0:') || {{ right }}
            else {{ address }}
        end
    {%- endset -%}
    case
        when {{ regexp_like(whole, '^[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}$') }} then lower(
            {%- for group in range(1, 9) %}
            lpad(split_part({{ whole }}, ':', {{ group }}), 4, '0'){{ ' ||' if not loop.last }}
            {%- endfor %}
        )
    end
{%- endmacro %}
