{{ config(materialized='view') }}

-- Insight events are statistics about calls, not calls
with calls as (
    select
        *,
        {{ role_taken() }} as role_taken
    from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }} and coalesce(event_type, '') <> 'AwsCloudTrailInsight'
),

-- lines are compared with the day's few principals, not with its many events
principals_of_day as (
    select distinct
        principal_kind,
        principal_account_id,
        principal_name,
        source_identity
    from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
),

accounts_in_scope as (
    select distinct account_id from {{ ref('trail_scope') }}
),

known_principals as (
    select
        coalesce(principals.principal_kind, '') as principal_kind,
        coalesce(principals.principal_account_id, '') as principal_account_id,
        coalesce(principals.principal_name, '') as principal_name,
        coalesce(principals.source_identity, '') as source_identity,
        max(case when scope.account_id is not null then 1 else 0 end) = 1 as principal_is_in_scope,
        max(case when administrators.principal_name is not null then 1 else 0 end) = 1 as is_administrator
    from principals_of_day as principals
    left join accounts_in_scope as scope on principals.principal_account_id = scope.account_id
    left join {{ ref('administrators') }} as administrators
        on {{ is_administrator('principals', 'administrators', 'scope.account_id is not null') }}
    group by
        coalesce(principals.principal_kind, ''),
        coalesce(principals.principal_account_id, ''),
        coalesce(principals.principal_name, ''),
        coalesce(principals.source_identity, '')
),

roles_taken as (
    select distinct
        role_taken,
        case when role_taken like 'arn:aws:sso:%' then 'permission set' else 'role' end as principal_kind,
        nullif(split_part(role_taken, ':', 5), '') as principal_account_id,
        {{ regexp_part('role_taken', '([^/]+)$') }} as principal_name,
        cast(null as varchar) as source_identity
    from (
        select {{ role_taken() }} as role_taken
        from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
    ) as taking
    where role_taken is not null
),

administrator_roles_taken as (
    select distinct taken.role_taken
    from roles_taken as taken
    left join accounts_in_scope as scope on taken.principal_account_id = scope.account_id
    inner join {{ ref('administrators') }} as administrators
        on {{ is_administrator('taken', 'administrators', 'scope.account_id is not null') }}
),

catalogued_names as (
    select
        event_source,
        event_name,
        -- `always` comes before `its request`, and that before `listed stores`
        min(applies_to) as applies_to
    from {{ ref('int_catalogue_of_day') }}
    -- of sign-ins, those that failed are wanted, and all to the console: an application's customers sign in by millions
    where requirement <> '10.2.1.4' or event_name = 'ConsoleLogin'
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
        coalesce(calls.actor_type = 'Root' or calls.actor_arn like '%:root', false) as is_root,
        -- root issued the session; the article's rule is kept: whoever issued it has root in his name
        coalesce(calls.session_issuer_name like '%root%', false)
        or coalesce(
            calls.principal_kind = 'root'
            and coalesce(calls.actor_type, '') <> 'Root' and coalesce(calls.actor_arn, '') not like '%:root',
            false
        ) as is_session_of_root,
        coalesce(known_principals.principal_is_in_scope, false) as principal_is_in_scope,
        coalesce(known_principals.is_administrator, false) as is_administrator,
        administrator_roles_taken.role_taken is not null as takes_administrator_role,
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
    left join known_principals
        on
            coalesce(calls.principal_kind, '') = known_principals.principal_kind
            and coalesce(calls.principal_account_id, '') = known_principals.principal_account_id
            and coalesce(calls.principal_name, '') = known_principals.principal_name
            and coalesce(calls.source_identity, '') = known_principals.source_identity
    left join administrator_roles_taken on calls.role_taken = administrator_roles_taken.role_taken
    left join catalogued_names
        on calls.event_source = catalogued_names.event_source and calls.event_name = catalogued_names.event_name
    left join services_with_listed_stores on calls.event_source = services_with_listed_stores.event_source
),

-- No rule stands here: whatever one of the rules may ask for is kept.
final as (
    select
        facts_of_calls.*,
        coalesce(catalogue_applies_to in ('always', 'its request'), false)
        or is_root
        or is_session_of_root
        or is_administrator
        or takes_administrator_role
        or outcome <> 'success'
        or missing_details is not null as is_wanted_without_store
    from facts_of_calls
)

select {{ model.columns.keys() | join(', ') or '*' }} from final
where
    is_wanted_without_store
    or (service_has_listed_stores and (is_data_event or catalogue_applies_to = 'listed stores'))
