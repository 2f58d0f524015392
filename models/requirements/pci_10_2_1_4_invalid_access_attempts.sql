with events as (
    {{ events_of_day('10.2.1.4') }}
),

refused as (
    select
        events.*,
        coalesce(catalogue_title, 'Call refused') as title,
        catalogue_title is not null as is_sign_in
    from events
    where
        outcome = 'denied'
        -- a sign-in, which is all that the catalogue names here, fails without an error code
        or (catalogue_title is not null and outcome = 'failure')
),

final as (
    {{ findings('10.2.1.4', 'refused', flags=['is_sign_in']) }}
)

select * from final
