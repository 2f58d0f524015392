{# The run date's events. `is_reviewed` marks those whose names the catalogue (seeds/catalogue/reviewed_events.csv) lists
   for the requirement, or the model's own rule: `catalogue_title` says what it is, and `applies_to` whether it counts
   always or on listed stores.

   own_rule: a condition on event_source and event_name; such events are reviewed though the catalogue lacks them #}
{% macro events_of_day(requirement, own_rule='false') %}
    -- patterns are matched with the day's few names, not with its many events
    with names_of_day as (
        select distinct event_source, event_name from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
    ),

    reviewed_names as (
        select event_source, event_name, title, applies_to
        from (
            select
                names_of_day.event_source,
                names_of_day.event_name,
                reviewed.title,
                reviewed.applies_to,
                row_number() over (
                    partition by names_of_day.event_source, names_of_day.event_name
                    order by reviewed.applies_to, length(reviewed.event_name) desc, reviewed.title
                ) as precedence
            from names_of_day
            left join {{ ref('reviewed_events') }} as reviewed
                on
                    reviewed.requirement = '{{ requirement }}'
                    and names_of_day.event_source like reviewed.event_source
                    and names_of_day.event_name like reviewed.event_name
        ) as every_line
        where precedence = 1 and (title is not null or ({{ own_rule }}))
    )

    select
        events.*,
        reviewed_names.title as catalogue_title,
        reviewed_names.applies_to,
        reviewed_names.event_name is not null as is_reviewed
    from {{ ref('stg_cloudtrail__events') }} as events
    left join reviewed_names
        on
            events.event_source = reviewed_names.event_source
            and events.event_name = reviewed_names.event_name
    where
        events.run_date = {{ run_date_sql() }}
        and coalesce(events.event_type, '') <> 'AwsCloudTrailInsight'
{% endmacro %}
