{% set administrators = 'select principal as pattern from ' ~ ref('administrators') %}

with events as (
    {{ events_of_day('10.2.1.2') }}
),

-- patterns are matched with the day's few actors, not with its many events
actors_of_day as (
    select actor_arn as arn from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
    union
    select session_issuer_arn as arn from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
),

listed_administrators as (
    select arn from actors_of_day
    where {{ matches_any('actors_of_day.arn', administrators) }}
),

actors as (
    select
        events.*,
        coalesce(actor_type = 'Root', false) as is_root,
        -- the article's rule, kept: whoever issued the session has root in his name
        coalesce(session_issuer_name like '%root%', false) as is_session_of_root,
        coalesce(actor_arn in (select listed.arn from listed_administrators as listed), false)
        or coalesce(session_issuer_arn in (select listed.arn from listed_administrators as listed), false)
            as is_administrator
    from events
),

done_with_administrative_access as (
    select
        actors.*,
        coalesce(
            catalogue_title,
            case
                when is_root and actor_is_service then 'AWS service acted as root'
                when is_root then 'Root user acted'
                when is_session_of_root then 'Session issued by root acted'
                else 'Administrator acted'
            end
        ) as title
    from actors
    where is_root or is_session_of_root or is_administrator or catalogue_title is not null
),

final as (
    {{ findings(
        '10.2.1.2', 'done_with_administrative_access', flags=['is_root', 'is_session_of_root', 'is_administrator']
    ) }}
)

select * from final
