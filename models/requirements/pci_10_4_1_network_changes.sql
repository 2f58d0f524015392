-- the article's rule, kept: whatever has to do with a subnet and is not a Describe
with events as (
    {{ events_of_day('10.4.1-network', own_rule="event_name like '%Subnet%' and event_name not like 'Describe%'") }}
),

network_changes as (
    select
        events.*,
        coalesce(catalogue_title, 'Change a subnet') as title
    from events
    where is_reviewed
),

final as (
    {{ findings('10.4.1-network', 'network_changes') }}
)

select * from final
