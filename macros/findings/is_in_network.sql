{# IPv4 with any length of prefix, IPv6 with one that is a multiple of 4. What is no address, such as the name of a
   service, is in no network. #}
{% macro is_in_network(address, network) -%}
    {%- set prefix = "try_cast(split_part(" ~ network ~ ", '/', 2) as bigint)" -%}
    {%- set first = "split_part(" ~ network ~ ", '/', 1)" -%}
    coalesce(
        case
            when {{ network }} like '%:%' then
                substr({{ ipv6_digits(address) }}, 1, cast({{ prefix }} / 4 as integer))
                = substr({{ ipv6_digits(first) }}, 1, cast({{ prefix }} / 4 as integer))
            else
                floor({{ ipv4_number(address) }} / power(2, 32 - {{ prefix }}))
                = floor({{ ipv4_number(first) }} / power(2, 32 - {{ prefix }}))
        end, false
    )
{%- endmacro %}
