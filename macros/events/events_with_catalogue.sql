{# The run date's events with their facts and, where the catalogue names the event for the requirement, what its line
   says: `catalogue_title`, `catalogue_applies_to` and `catalogue_flag`, which are null for all other events. #}
{% macro events_with_catalogue(requirement) %}
    -- the day's events, with what the line of the catalogue says that names them for this requirement; else NULL
    select
        events.*,
        catalogue.title as catalogue_title,
        catalogue.applies_to as catalogue_applies_to,
        catalogue.flag as catalogue_flag
    from {{ ref('int_events_with_facts') }} as events
    left join {{ ref('int_catalogue_of_day') }} as catalogue
        on
            catalogue.requirement = '{{ requirement }}'
            and events.event_source = catalogue.event_source
            and events.event_name = catalogue.event_name
    where events.run_date = {{ run_date_sql() }}
{% endmacro %}
