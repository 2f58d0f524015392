{{ config(tags=['10.2.1.6'], meta={'pci_dss_v4_0_1': '10.2.1.6', 'pci_dss_v3_2_1': '10.2.6'}) }}

-- PCI DSS 10.2.1.6: audit logs started, stopped, paused, changed or removed, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.6') }}
),

audit_log_changes as (
    select
        events.*,
        catalogue_title as title,
        audit_log_store as store,
        catalogue_flag as flags
    from events
    where
        -- the catalogue names it as a change to audit logs wherever it happens
        catalogue_applies_to = 'always'
        -- or where its resources or its request name a store of audit logs that the settings list
        or (catalogue_applies_to = 'listed stores' and audit_log_store is not null)
),

final as (
    {{ finding_rows('10.2.1.6', 'audit_log_changes') }}
)

select * from final
