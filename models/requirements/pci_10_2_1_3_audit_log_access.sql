with reviewed as (
    {{ reviewed_events('10.2.1.3', stores=ref('audit_log_stores'), every_data_event=true) }}
),

final as (
    {{ findings('10.2.1.3', 'reviewed', flags=['is_data_event']) }}
)

select * from final
