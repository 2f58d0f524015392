{{ config(tags=['10.2.1.6'], meta={'pci_dss_v4_0_1': '10.2.1.6', 'pci_dss_v3_2_1': '10.2.6'}) }}

-- PCI DSS 10.2.1.6: audit logs started, stopped, paused, changed or removed, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.6', 'events.audit_log_store', 'events.may_touch_audit_log_store') }}
),

audit_log_changes as (
    select
        events.*,
        catalogue_title as title,
        nullif(concat_ws(
            ', ',
            case when may_touch_store then 'target not recorded' end,
            catalogue_flag
        ), '') as flags
    from events
    -- the catalogue names it as a change to audit logs, wherever it happens or, such as the deletion of a bucket, where
    -- it touches a store of audit logs that the settings list, or its record does not tell what it touched
    where is_in_catalogue
),

final as (
    {{ finding_rows('10.2.1.6', 'audit_log_changes') }}
)

select * from final
