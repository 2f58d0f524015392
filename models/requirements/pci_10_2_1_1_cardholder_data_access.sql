{{ config(tags=['10.2.1.1'], meta={'pci_dss_v4_0_1': '10.2.1.1', 'pci_dss_v3_2_1': '10.2.1'}) }}

-- PCI DSS 10.2.1.1: individual access to cardholder data, read or written, done or only tried.
with events as (
    {{ events_with_catalogue(
        '10.2.1.1', 'events.cardholder_data_store', 'events.may_touch_cardholder_data_store'
    ) }}
),

cardholder_data_access as (
    select
        events.*,
        {{ store_access() }}
    from events
    where
        -- the catalogue names it, and it touches a store of cardholder data that the settings list
        is_in_catalogue
        -- or it is any data event (of an object, item, message …) on such a store
        or (is_data_event and cardholder_data_store is not null)
        -- or its record does not tell what it touched, and a store of its service is listed
        or (is_data_event and may_touch_store)
),

final as (
    {{ finding_rows('10.2.1.1', 'cardholder_data_access') }}
)

select * from final
