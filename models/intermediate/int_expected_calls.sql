-- a line with several networks is a row for each; a line that names none is expected from any address
with lines as (
    select
        {{ expected_line_id() }} as line_id,
        expected.requirement,
        expected.principal_kind,
        expected.principal_account,
        expected.principal_name,
        networks.network,
        expected.event_source,
        expected.event_name,
        expected.resource,
        expected.reason,
        try_cast(expected.approved_on as date) as approved_on,
        try_cast(expected.expires_on as date) as expires_on,
        {{ expected_line_is_narrow() }} as is_narrow
    from {{ ref('expected_activity') }} as expected
    cross join unnest(split(coalesce(expected.source_networks, ''), ' ')) as networks (network)
    where
        {{ expected_line_fault() }} is null
        and (networks.network <> '' or coalesce(expected.source_networks, '') = '')
),

named_networks as (
    select distinct
        network,
        split_part(network, '/', 1) as address,
        try_cast(split_part(network, '/', 2) as bigint) as prefix_length
    from lines
    where network <> ''
),

named_addresses as (
    {{ addresses_as_digits('select distinct address from named_networks') }}
),

networks as (
    select
        named_networks.network,
        named_networks.prefix_length,
        named_addresses.ipv4,
        named_addresses.ipv6
    from named_networks
    inner join named_addresses on named_networks.address = named_addresses.address
),

addresses as (
    {{ addresses_as_digits(
        "select distinct source_ip as address from " ~ ref('int_events_with_facts')
        ~ " where run_date = " ~ run_date_sql()
    ) }}
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

-- lines are compared with the day's few principals and calls, not with its many events
calls as (
    select distinct
        events.principal_kind,
        events.principal_account_id,
        events.principal_name,
        events.principal_is_in_scope,
        events.event_source,
        events.event_name,
        events.source_ip,
        located.network
    from {{ ref('int_events_with_facts') }} as events
    left join addresses_in_networks as located on events.source_ip = located.address
    where events.run_date = {{ run_date_sql() }}
),

final as (
    select distinct
        lines.line_id,
        lines.requirement,
        calls.principal_kind,
        calls.principal_account_id,
        calls.principal_name,
        calls.event_source,
        calls.event_name,
        calls.source_ip,
        lines.resource,
        lines.reason,
        lines.approved_on,
        lines.expires_on,
        -- a narrow line may mark as much as there is; all others are broad
        not lines.is_narrow as is_broad
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
            and lines.network in ('', calls.network)
)

select * from final
