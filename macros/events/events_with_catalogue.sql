{# store and may_touch_store: for a requirement that has no stores of its own, either of the two #}
{% macro events_with_catalogue(
    requirement,
    store='coalesce(events.cardholder_data_store, events.audit_log_store)',
    may_touch_store='(events.may_touch_cardholder_data_store or events.may_touch_audit_log_store)'
) %}
    {%- set request_is_hidden -%}
        (
            events.request_parameters is null
            or {{ regexp_like('lower(events.request_parameters)', '"omitted"\\s*:\\s*true') }}
        )
    {%- endset %}
    -- the events that CloudTrail delivered on the run date (UTC), with what the catalogue says of them
    select
        events.*,
        {{ store }} as store,
        catalogue.title || case
            when catalogue.applies_to = 'listed stores' and {{ may_touch_store }} then ', target not recorded'
            when catalogue.applies_to = 'its request' and {{ request_is_hidden }} then ', request not recorded'
            else ''
        end as catalogue_title,
        catalogue.flag as catalogue_flag,
        -- the catalogue names it for this requirement: always (reviewed_events), where its request changes something
        -- (reviewed_changes), or where it touches a listed store; or it may, since that is not recorded
        coalesce(catalogue.applies_to = 'always', false)
        or case
            when catalogue.applies_to = 'its request' then
                {{ request_is_hidden }}
                or {{ request_has('events.request_parameters', 'catalogue.request_pattern') }}
            else false
        end
        or coalesce(
            catalogue.applies_to = 'listed stores' and ({{ store }} is not null or {{ may_touch_store }}), false
        ) as is_in_catalogue,
        coalesce({{ may_touch_store }} and coalesce(catalogue.applies_to, '') <> 'always', false) as may_touch_store
    from {{ ref('int_events_with_facts') }} as events
    left join {{ ref('int_catalogue_of_day') }} as catalogue
        on
            catalogue.requirement = '{{ requirement }}'
            and events.event_source = catalogue.event_source
            and events.event_name = catalogue.event_name
    where events.run_date = {{ run_date_sql() }}
{% endmacro %}
