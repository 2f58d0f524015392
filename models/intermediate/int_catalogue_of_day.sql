-- patterns are matched with the day's few names, not with its many events
with names_of_day as (
    select distinct
        event_source,
        event_name
    from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
),

lines as (
    {{ catalogue_lines() }}
),

matching_lines as (
    select
        lines.requirement,
        names_of_day.event_source,
        names_of_day.event_name,
        lines.applies_to,
        lines.request_pattern,
        nullif(lines.flag, '') as flag,
        lines.title,
        -- what counts always wins over what counts by its request, then what counts on listed stores, then the most
        -- specific pattern
        row_number() over (
            partition by lines.requirement, names_of_day.event_source, names_of_day.event_name
            order by lines.applies_to asc, length(lines.event_name) desc, lines.title asc
        ) as precedence
    from names_of_day
    inner join lines
        on
            names_of_day.event_source like lines.event_source
            and names_of_day.event_name like lines.event_name
),

final as (
    select
        requirement,
        event_source,
        event_name,
        applies_to,
        request_pattern,
        flag,
        title
    from matching_lines
    where precedence = 1
)

select * from final
