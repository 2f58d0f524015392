-- patterns are matched with the day's few names, not with its many events
with names_of_day as (
    select distinct
        event_source,
        event_name
    from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
),

matching_lines as (
    select
        reviewed_events.requirement,
        names_of_day.event_source,
        names_of_day.event_name,
        reviewed_events.applies_to,
        nullif(reviewed_events.flag, '') as flag,
        reviewed_events.title,
        -- what counts always wins over what counts on listed stores, then the most specific pattern
        row_number() over (
            partition by reviewed_events.requirement, names_of_day.event_source, names_of_day.event_name
            order by reviewed_events.applies_to asc, length(reviewed_events.event_name) desc, reviewed_events.title asc
        ) as precedence
    from names_of_day
    inner join {{ ref('reviewed_events') }} as reviewed_events
        on
            names_of_day.event_source like reviewed_events.event_source
            and names_of_day.event_name like reviewed_events.event_name
),

final as (
    select
        requirement,
        event_source,
        event_name,
        applies_to,
        flag,
        title
    from matching_lines
    where precedence = 1
)

select * from final
