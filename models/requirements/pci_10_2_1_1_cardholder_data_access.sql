with reviewed as (
    {{ reviewed_events('10.2.1.1', stores=ref('cardholder_data_stores'), every_data_event=true) }}
),

final as (
    {{ findings('10.2.1.1', 'reviewed', flags=['is_data_event']) }}
)

select * from final
