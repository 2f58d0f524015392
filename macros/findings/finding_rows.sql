{% macro finding_rows(requirement, kept_events) %}
    -- what expected_activity expects is marked, and never left out
    with lines as (
        {{ lines_for_requirement(requirement) }}
    ),

    -- lines are compared with the few principals and calls, not with the many events
    calls as (
        select distinct
            principal_kind,
            principal_account_id,
            principal_name,
            principal_is_in_scope,
            event_source,
            event_name
        from {{ kept_events }}
    ),

    addresses as (
        {{ addresses_as_digits('select distinct source_ip as address from ' ~ kept_events) }}
    ),

    networks as (
        select
            lines.network,
            try_cast(split_part(lines.network, '/', 2) as bigint) as prefix_length,
            digits.ipv4,
            digits.ipv6
        from (select distinct network from lines where network <> '') as lines
        inner join (
            {{ addresses_as_digits("select distinct split_part(network, '/', 1) as address from lines") }}
        ) as digits on split_part(lines.network, '/', 1) = digits.address
    ),

    -- an IPv6 prefix is compared by whole digits, of four bits each
    addresses_in_networks as (
        select
            networks.network,
            addresses.address
        from networks
        inner join addresses
            on
                floor(addresses.ipv4 / power(2, 32 - networks.prefix_length))
                = floor(networks.ipv4 / power(2, 32 - networks.prefix_length))
                or substr(addresses.ipv6, 1, cast(networks.prefix_length / 4 as integer))
                = substr(networks.ipv6, 1, cast(networks.prefix_length / 4 as integer))
    ),

    lines_of_calls as (
        select
            calls.principal_account_id as called_from,
            calls.principal_name as caller,
            calls.event_source as called_service,
            calls.event_name as called,
            addresses_in_networks.address,
            lines.*
        from calls
        inner join lines
            on
                calls.principal_kind = lines.principal_kind
                and (
                    calls.principal_account_id = lines.principal_account
                    or (lines.principal_account = 'any account in scope' and calls.principal_is_in_scope)
                )
                and {{ named_by('calls.principal_name', 'lines.principal_name') }}
                and lines.event_source in ('%', calls.event_source)
                and {{ named_by('calls.event_name', 'lines.event_name') }}
        left join addresses_in_networks on lines.network = addresses_in_networks.network
        where lines.network = '' or addresses_in_networks.address is not null
    ),

    marked as (
        select
            kept.*,
            '{{ requirement }}' as requirement,
            lines.line_id as expected_line,
            lines.reason,
            lines.is_broad,
            -- CloudTrail may deliver an event twice: rows that say the same of everything are one event, and the copy
            -- from the first log file is kept; if several lines expect it, a narrow one counts
            row_number() over (
                partition by kept.resource_arns, kept.{{ finding_key() | join(', kept.') }}
                order by lines.is_broad, lines.line_id, kept.log_file
            ) as copy_number,
            first_value(lines.line_id) over (
                partition by kept.resource_arns, kept.{{ finding_key() | join(', kept.') }}
                order by lines.is_broad, lines.line_id, kept.log_file
            ) as first_line
        from {{ kept_events }} as kept
        left join lines_of_calls as lines
            on
                kept.principal_kind = lines.principal_kind
                and kept.principal_account_id = lines.called_from
                and kept.principal_name = lines.caller
                and kept.event_source = lines.called_service
                and kept.event_name = lines.called
                -- it was approved when the event happened and was delivered, and had not expired
                and least(coalesce(cast(kept.event_time as date), kept.run_date), kept.run_date) >= lines.approved_on
                and greatest(coalesce(cast(kept.event_time as date), kept.run_date), kept.run_date) <= lines.expires_on
                and (lines.network = '' or kept.source_ip = lines.address)
                and case
                    when lines.resource = '%' then true
                    else {{ all_of(
                        "split(coalesce(kept.resource_arns, kept.resource, ''), chr(10))",
                        is_resource('element', 'lines.resource')
                    ) }}
                end
                -- what root does is expected by lines that name root
                and not (lines.is_broad and coalesce(kept.is_root or kept.is_session_of_root, false))
    ),

    -- what has no id is never the same event
    single as (
        select *
        from marked
        where copy_number = 1 or (event_id is null and coalesce(expected_line, '') = coalesce(first_line, ''))
    ),

    -- Broad lines mark nothing where they would mark more than half of what narrow ones leave
    breadth as (
        select 2 * count(expected_line) > count(*) as is_too_broad
        from single
        where coalesce(is_broad, true)
    ),

    described as (
        select
            single.*,
            single.expected_line is not null and not (single.is_broad and breadth.is_too_broad) as is_expected,
            case when not (single.is_broad and breadth.is_too_broad) then single.reason end as expected_reason,
            -- who did what to what, from where, and how it ended
            coalesce(actor_name, 'Somebody unknown')
            || case
                when actor_is_service then ' (an AWS service)'
                when actor_type is null then ''
                else ' (' || actor_type || ')'
            end
            || case outcome when 'success' then ' called ' else ' tried ' end
            || coalesce(event_name, 'something unnamed')
            || coalesce(' of ' || replace(event_source, '.amazonaws.com', ''), '')
            || coalesce(' on ' || resource, '')
            || ' in account ' || aws_account_id || ', ' || aws_region
            || coalesce(', from ' || source_ip, '')
            || case outcome
                when 'success' then ', and it was done'
                when 'denied' then ', and it was denied'
                else ', and it failed'
            end
            || coalesce(' (' || error_code || ')', '')
            || case when mfa_authenticated then ', with MFA' when not mfa_authenticated then ', without MFA' else '' end
            || '.' as detail
        from single
        cross join breadth
    )

    {#- dbt knows the YAML's columns when it runs the model, but not in a unit test, which names those it compares #}
    select {{ model.columns.keys() | join(', ') or '*' }}
    from described
{% endmacro %}
