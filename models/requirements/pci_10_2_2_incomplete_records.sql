{{ config(tags=['10.2.2'], meta={'pci_dss_v4_0_1': '10.2.2', 'pci_dss_v3_2_1': '10.3.1 - 10.3.6'}) }}

-- PCI DSS 10.2.2: records of any event that lack one of the details which each must have.
with events as (
    select * from {{ ref('int_events_with_facts') }}
    where run_date = {{ run_date_sql() }}
),

incomplete_records as (
    select
        events.*,
        'Record without ' || missing_details as title,
        coalesce(cardholder_data_store, audit_log_store) as store,
        'lacks ' || replace(missing_details, ', ', ', lacks ') as flags
    from events
    -- at least one of: who, what, when, success or failure, origin, affected resource
    where missing_details is not null
),

final as (
    {{ finding_rows('10.2.2', 'incomplete_records') }}
)

select * from final
