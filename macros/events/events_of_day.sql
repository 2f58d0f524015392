{# The run date's events. Where the catalogue (seeds/catalogue/reviewed_events.csv) names an event for the requirement,
   `catalogue_title` says what it is, and `applies_to` whether it counts always or on listed stores. #}
{% macro events_of_day(requirement) %}
    with events_of_day as (
        select * from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
    ),

    -- patterns are matched with the day's few names, not with its many events
    names_of_day as (
        select distinct event_source, event_name from events_of_day
    ),

    catalogue as (
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
            inner join {{ ref('reviewed_events') }} as reviewed
                on
                    names_of_day.event_source like reviewed.event_source
                    and names_of_day.event_name like reviewed.event_name
            where reviewed.requirement = '{{ requirement }}'
        ) as every_line
        where precedence = 1
    )

    select
        events_of_day.*,
        catalogue.title as catalogue_title,
        catalogue.applies_to
    from events_of_day
    left join catalogue
        on
            events_of_day.event_source = catalogue.event_source
            and events_of_day.event_name = catalogue.event_name
{% endmacro %}
