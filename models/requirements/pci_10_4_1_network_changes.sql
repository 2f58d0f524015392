with events as (
    {{ events_of_day('10.4.1-network') }}
),

network_changes as (
    select
        events.*,
        coalesce(catalogue_title, 'Change a subnet') as title
    from events
    where
        catalogue_title is not null
        -- the article's rule, kept: whatever has to do with a subnet and is not a Describe
        or (event_name like '%Subnet%' and event_name not like 'Describe%')
),

final as (
    {{ findings('10.4.1-network', 'network_changes') }}
)

select * from final
