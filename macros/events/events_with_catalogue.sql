{# store: for a requirement that has no stores of its own, either of the two #}
{% macro events_with_catalogue(requirement, store='coalesce(events.cardholder_data_store, events.audit_log_store)') %}
    -- the events that CloudTrail delivered on the run date (UTC), with what the catalogue says of them
    select
        events.*,
        {{ store }} as store,
        catalogue.title as catalogue_title,
        catalogue.flag as catalogue_flag,
        -- the catalogue (reviewed_events) names it for this requirement, always or where it touches a listed store
        coalesce(catalogue.applies_to = 'always', false)
        or coalesce(catalogue.applies_to = 'listed stores' and {{ store }} is not null, false) as is_in_catalogue
    from {{ ref('int_events_with_facts') }} as events
    left join {{ ref('int_catalogue_of_day') }} as catalogue
        on
            catalogue.requirement = '{{ requirement }}'
            and events.event_source = catalogue.event_source
            and events.event_name = catalogue.event_name
    where events.run_date = {{ run_date_sql() }}
{% endmacro %}
