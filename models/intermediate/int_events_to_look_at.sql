{{ config(materialized='view') }}

-- Insight events are statistics about calls, not calls
with calls as (
    select * from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }} and coalesce(event_type, '') <> 'AwsCloudTrailInsight'
),

-- patterns are matched with the day's few principals, not with its many events
administrators_of_day as (
    select
        coalesce(principals.actor_arn, '') as actor_arn,
        coalesce(principals.session_issuer_arn, '') as session_issuer_arn
    from (
        select distinct
            actor_arn,
            session_issuer_arn
        from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
    ) as principals
    where
        exists (
            select 1
            from {{ ref('administrators') }} as administrators
            where
                principals.actor_arn like administrators.principal
                or principals.session_issuer_arn like administrators.principal
        )
),

catalogued_names as (
    select
        event_source,
        event_name,
        -- `always` comes before `listed stores`
        min(applies_to) as applies_to
    from {{ ref('int_catalogue_of_day') }}
    group by event_source, event_name
),

services_with_listed_stores as (
    select event_source from {{ ref('cardholder_data_stores') }}
    union
    select event_source from {{ ref('audit_log_stores') }}
),

facts_of_calls as (
    select
        calls.*,
        coalesce(calls.actor_type = 'Root', false) as is_root,
        -- the article's rule, kept: whoever issued the session has root in his name
        coalesce(calls.session_issuer_name like '%root%', false) as is_session_of_root,
        administrators_of_day.actor_arn is not null as is_administrator,
        -- of the six details of 10.2.2; the affected service counts as the resource where no single resource is meant
        nullif(concat_ws(
            ', ',
            case when calls.actor_name is null then 'who' end,
            case when calls.event_name is null then 'what' end,
            case when calls.event_time is null then 'when' end,
            -- a sign-in to the console has no error code: its response has to say how it ended
            case
                when
                    calls.event_name = 'ConsoleLogin' and calls.error_code is null
                    and coalesce(calls.response_elements, '') not like '%Success%'
                    and coalesce(calls.response_elements, '') not like '%Failure%'
                    then 'success or failure'
            end,
            case when calls.source_ip is null then 'origin' end,
            case when calls.event_source is null and calls.resource_arns is null then 'affected resource' end
        ), '') as missing_details,
        catalogued_names.applies_to as catalogue_applies_to,
        services_with_listed_stores.event_source is not null as service_has_listed_stores
    from calls
    left join administrators_of_day
        on
            coalesce(calls.actor_arn, '') = administrators_of_day.actor_arn
            and coalesce(calls.session_issuer_arn, '') = administrators_of_day.session_issuer_arn
    left join catalogued_names
        on calls.event_source = catalogued_names.event_source and calls.event_name = catalogued_names.event_name
    left join services_with_listed_stores on calls.event_source = services_with_listed_stores.event_source
),

-- No rule stands here: whatever one of the rules may ask for is kept.
final as (
    select
        facts_of_calls.*,
        coalesce(catalogue_applies_to = 'always', false)
        or is_root
        or is_session_of_root
        or is_administrator
        or outcome <> 'success'
        or missing_details is not null as is_wanted_without_store
    from facts_of_calls
)

select {{ model.columns.keys() | join(', ') or '*' }} from final
where
    is_wanted_without_store
    or (service_has_listed_stores and (is_data_event or catalogue_applies_to = 'listed stores'))
