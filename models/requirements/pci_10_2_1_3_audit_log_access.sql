{{ config(tags=['10.2.1.3'], meta={'pci_dss_v4_0_1': '10.2.1.3', 'pci_dss_v3_2_1': '10.2.3'}) }}

-- PCI DSS 10.2.1.3: access to the audit logs themselves, read or written, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.3') }}
),

audit_log_access as (
    select
        events.*,
        coalesce(catalogue_title, 'Access a listed store') as title,
        audit_log_store as store,
        case when is_data_event then 'data event' end as flags
    from events
    where
        -- its resources or its request name a store of audit logs that the settings list, and it is a data event
        -- (of an object, log event …) or one that the catalogue names
        (audit_log_store is not null and (is_data_event or catalogue_applies_to = 'listed stores'))
        -- or the catalogue names it wherever it happens, such as a look at CloudTrail's own event history
        or catalogue_applies_to = 'always'
),

final as (
    {{ finding_rows('10.2.1.3', 'audit_log_access') }}
)

select * from final
