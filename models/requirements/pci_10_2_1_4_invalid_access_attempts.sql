{{ config(tags=['10.2.1.4'], meta={'pci_dss_v4_0_1': '10.2.1.4', 'pci_dss_v3_2_1': '10.2.4'}) }}

with events as (
    {{ events_with_catalogue('10.2.1.4') }}
),

invalid_access_attempts as (
    select
        events.*,
        coalesce(catalogue_title, 'Call refused') as title,
        coalesce(cardholder_data_store, audit_log_store) as store,
        nullif(concat_ws(', ', case when outcome = 'denied' then 'refused' end, catalogue_flag), '') as flags
    from events
    where
        outcome = 'denied'
        -- the catalogue names sign-ins: one fails without an error code
        or (outcome = 'failure' and catalogue_applies_to = 'always')
),

final as (
    {{ finding_rows('10.2.1.4', 'invalid_access_attempts') }}
)

select * from final
