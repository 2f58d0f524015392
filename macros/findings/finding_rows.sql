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
            event_name,
            coalesce(source_ip, '') as source_ip
        from {{ kept_events }}
    ),

    addresses as (
        {{ addresses_as_digits('select distinct source_ip as address from calls') }}
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
        select distinct
            calls.principal_kind,
            calls.principal_account_id,
            calls.principal_name,
            calls.event_source,
            calls.event_name,
            calls.source_ip,
            lines.line_id,
            lines.is_broad,
            lines.resource,
            lines.reason,
            lines.approved_on,
            lines.expires_on
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
        left join addresses_in_networks
            on lines.network = addresses_in_networks.network and calls.source_ip = addresses_in_networks.address
        where lines.network = '' or addresses_in_networks.address is not null
    ),

    -- an event with each line that names its call; whether the line names all the rest
    candidates as (
        select
            kept.*,
            lines.line_id,
            lines.reason,
            coalesce(lines.is_broad, false) as is_broad,
            coalesce(
                -- it was approved when the event happened and was delivered, and had not expired
                least(coalesce(cast(kept.event_time as date), kept.run_date), kept.run_date) >= lines.approved_on
                and greatest(coalesce(cast(kept.event_time as date), kept.run_date), kept.run_date) <= lines.expires_on
                and case
                    when lines.resource = '%' then true
                    else {{ all_of(
                        "split(coalesce(kept.resource_arns, kept.resource, ''), chr(10))",
                        is_resource('element', 'lines.resource')
                    ) }}
                end
                -- what root does is expected by lines that name root
                and not (lines.is_broad and coalesce(kept.is_root or kept.is_session_of_root, false)),
                false
            ) as is_named
        from {{ kept_events }} as kept
        left join lines_of_calls as lines
            on
                kept.principal_kind = lines.principal_kind
                and kept.principal_account_id = lines.principal_account_id
                and kept.principal_name = lines.principal_name
                and kept.event_source = lines.event_source
                and kept.event_name = lines.event_name
                and coalesce(kept.source_ip, '') = lines.source_ip
    ),

    -- CloudTrail may deliver an event twice: rows that say the same of everything are one event, and the copy from the
    -- first log file is kept; if several lines expect it, a narrow one counts
    copies as (
        select
            candidates.*,
            row_number() over (
                partition by resource_arns, {{ finding_key() | join(', ') }}
                order by is_named desc, is_broad, line_id, log_file
            ) as copy_number,
            first_value(line_id) over (
                partition by resource_arns, {{ finding_key() | join(', ') }}
                order by is_named desc, is_broad, line_id, log_file
            ) as first_line
        from candidates
    ),

    single as (
        select
            copies.*,
            '{{ requirement }}' as requirement,
            case when is_named then line_id end as expected_line
        from copies
        -- what has no id is never the same event, though several lines may name its call
        where copy_number = 1 or (event_id is null and coalesce(line_id, '') = coalesce(first_line, ''))
    ),

    -- Broad lines mark nothing where they would mark more than half of what narrow ones leave
    breadth as (
        select 2 * count(expected_line) > count(*) as is_too_broad
        from single
        where is_broad or expected_line is null
    ),

    described as (
        select
            single.*,
            single.expected_line is not null and not (single.is_broad and breadth.is_too_broad) as is_expected,
            case
                when single.expected_line is not null and not (single.is_broad and breadth.is_too_broad)
                    then single.reason
            end as expected_reason,
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
