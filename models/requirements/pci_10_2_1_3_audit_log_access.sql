{{ config(tags=['10.2.1.3'], meta={'pci_dss_v4_0_1': '10.2.1.3', 'pci_dss_v3_2_1': '10.2.3'}) }}

-- PCI DSS 10.2.1.3: access to the audit logs themselves, read or written, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.3', 'events.audit_log_store', 'events.may_touch_audit_log_store') }}
),

audit_log_access as (
    select
        events.*,
        {{ store_access() }}
    from events
    where
        -- the catalogue names it, and it touches a store of audit logs that the settings list; a look at CloudTrail's
        -- own event history counts without one
        is_in_catalogue
        -- or it is any data event (of an object, log event …) on such a store
        or (is_data_event and audit_log_store is not null)
        -- or its record does not tell what it touched, and a store of its service is listed
        or (is_data_event and may_touch_store)
),

final as (
    {{ finding_rows('10.2.1.3', 'audit_log_access') }}
)

select * from final
