with reviewed as (
    {{ reviewed_events('10.2.1.6', stores=ref('audit_log_stores')) }}
),

final as (
    {{ findings('10.2.1.6', 'reviewed') }}
)

select * from final
