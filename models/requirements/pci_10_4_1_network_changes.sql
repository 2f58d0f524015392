{{ config(tags=['10.4.1'], meta={'pci_dss_v4_0_1': '10.4.1', 'pci_dss_v3_2_1': '10.6'}) }}

with events as (
    {{ events_with_catalogue('10.4.1-network') }}
),

network_changes as (
    select
        events.*,
        catalogue_title as title,
        coalesce(cardholder_data_store, audit_log_store) as store,
        catalogue_flag as flags
    from events
    where
        -- the catalogue names it as a change to the network; it names whatever has to do with a subnet, too
        catalogue_applies_to = 'always'
        -- of which these only read, as the article has it
        and event_name not like 'Describe%'
),

final as (
    {{ finding_rows('10.4.1-network', 'network_changes') }}
)

select * from final
