{{ config(tags=['10.2.1.5'], meta={'pci_dss_v4_0_1': '10.2.1.5', 'pci_dss_v3_2_1': '10.2.5.b, 10.2.5.c'}) }}

with events as (
    {{ events_with_catalogue('10.2.1.5') }}
),

credential_changes as (
    select
        events.*,
        catalogue_title as title,
        coalesce(cardholder_data_store, audit_log_store) as store,
        nullif(concat_ws(
            ', ',
            -- the catalogue flags what gives somebody a privilege
            catalogue_flag,
            case when administrative_grant is not null then 'administrative grant' end
        ), '') as flags
    from events
    where catalogue_applies_to = 'always'
),

final as (
    {{ finding_rows('10.2.1.5', 'credential_changes') }}
)

select * from final
