with reviewed as (
    {{ reviewed_events('10.2.1.7') }}
),

final as (
    {{ findings('10.2.1.7', 'reviewed') }}
)

select * from final
