{# Both engines lack a type for addresses. What is no address, such as the name of a service, has no digits. #}
{% macro addresses_as_digits(addresses) %}
    select
        address,
        case
            when {{ regexp_like('address', '^((25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})([.]|$)){4}$') }} then
                {%- for factor in (16777216, 65536, 256, 1) %}
                {{ '+ ' if not loop.first }}cast(split_part(address, '.', {{ loop.index }}) as bigint) * {{ factor }}
                {%- endfor %}
        end as ipv4,
        case
            when {{ regexp_like('all_groups', '^[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4}){7}$') }} then lower(concat(
                {%- for group in range(1, 9) %}
                lpad(split_part(all_groups, ':', {{ group }}), 4, '0'){{ ',' if not loop.last }}
                {%- endfor %}
            ))
        end as ipv6
    from (
        select
            address,
            -- `::` stands for as many groups of zeros as there lack
            case
                when address like '%::%'
                    then
                        first_groups || ':' || rpad('', cast(greatest(0, 12 - 2 * colons) as integer), '0:')
                        || last_groups
                else address
            end as all_groups
        from (
            select
                address,
                first_groups,
                last_groups,
                length(first_groups || last_groups) - length(replace(first_groups || last_groups, ':', '')) as colons
            from (
                select
                    address,
                    coalesce(nullif(split_part(address, '::', 1), ''), '0') as first_groups,
                    coalesce(nullif(split_part(address, '::', 2), ''), '0') as last_groups
                from ({{ addresses }}) as addresses
            ) as halves
        ) as counted
    ) as groups_of_four
{% endmacro %}
