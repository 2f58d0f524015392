{{ config(tags=['10.2.1.7'], meta={'pci_dss_v4_0_1': '10.2.1.7', 'pci_dss_v3_2_1': '10.2.7'}) }}

with events as (
    {{ events_with_catalogue('10.2.1.7') }}
),

system_object_changes as (
    select
        events.*,
        catalogue_title as title,
        coalesce(cardholder_data_store, audit_log_store) as store,
        catalogue_flag as flags
    from events
    -- the catalogue names it as the creation, change or deletion of a system-level object
    where catalogue_applies_to = 'always'
),

final as (
    {{ finding_rows('10.2.1.7', 'system_object_changes') }}
)

select * from final
