{{ config(tags=['10.2.1.1'], meta={'pci_dss_v4_0_1': '10.2.1.1', 'pci_dss_v3_2_1': '10.2.1'}) }}

-- PCI DSS 10.2.1.1: individual access to cardholder data, read or written, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.1') }}
),

cardholder_data_access as (
    select
        events.*,
        coalesce(catalogue_title, 'Access a listed store') as title,
        cardholder_data_store as store,
        case when is_data_event then 'data event' end as flags
    from events
    where
        -- its resources or its request name a store of cardholder data that the settings list, and it is a data event
        -- (of an object, item, message …) or one that the catalogue names
        (cardholder_data_store is not null and (is_data_event or catalogue_applies_to = 'listed stores'))
        -- or the catalogue names it wherever it happens
        or catalogue_applies_to = 'always'
),

final as (
    {{ finding_rows('10.2.1.1', 'cardholder_data_access') }}
)

select * from final
