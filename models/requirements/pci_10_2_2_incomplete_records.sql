with events as (
    {{ events_of_day('10.2.2') }}
),

-- the six details of 10.2.2; the affected service counts as the resource where no single resource is meant
details as (
    select
        events.*,
        case when actor_name is null then ', who' else '' end
        || case when event_name is null then ', what' else '' end
        || case when event_time is null then ', when' else '' end
        || case when {{ lacks_outcome() }} then ', success or failure' else '' end
        || case when source_ip is null then ', origin' else '' end
        || case when event_source is null and resource_arns is null then ', affected resource' else '' end
            as missing
    from events
),

incomplete as (
    select
        details.*,
        substr(missing, 3) as missing_details,
        'Record without ' || substr(missing, 3) as title
    from details
    where missing <> ''
),

final as (
    {{ findings('10.2.2', 'incomplete', flags=['missing_details']) }}
)

select * from final
