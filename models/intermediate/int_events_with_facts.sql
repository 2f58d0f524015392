with listed_cardholder_data_stores as (
    {{ listed_stores('cardholder_data_stores') }}
),

listed_audit_log_stores as (
    {{ listed_stores('audit_log_stores') }}
),

listed_administrative_grants as (
    select
        name,
        '%/' || name || '/%' as pattern
    from {{ ref('administrative_grants') }}
),

events_with_names as (
    select
        events.*,
        -- where no store is listed for the service, there is nothing to compare names with
        case when service_has_listed_stores then {{ names_touched() }} end as names_touched
    from {{ ref('int_events_to_look_at') }} as events
    where run_date = {{ run_date_sql() }}
),

-- many events touch the same: what they name is compared with the listed stores once
stores_touched as (
    select
        touched.names_touched,
        {{ all_named('touched.names_touched', 'listed_cardholder_data_stores') }} as cardholder_data_store,
        {{ all_named('touched.names_touched', 'listed_audit_log_stores') }} as audit_log_store
    from (
        select distinct names_touched from events_with_names
        where names_touched is not null
    ) as touched
),

-- a target that the record does not tell may be any of its service's listed stores
events_with_stores as (
    select
        events_with_names.*,
        stores_touched.cardholder_data_store,
        stores_touched.audit_log_store,
        events_with_names.service_has_listed_stores
        -- named for any requirement; events_with_catalogue asks for which
        and (events_with_names.is_data_event or events_with_names.catalogue_applies_to is not null)
        and not {{ target_is_recorded() }} as is_target_unknown
    from events_with_names
    left join stores_touched on events_with_names.names_touched = stores_touched.names_touched
),

-- what was kept only because its service has a listed store, and touches another one, goes out
wanted_events as (
    select
        events_with_stores.*,
        is_target_unknown
        and cardholder_data_store is null
        and events_with_stores.event_source in (
            select listed.event_source from {{ ref('cardholder_data_stores') }} as listed
        ) as may_touch_cardholder_data_store,
        is_target_unknown
        and audit_log_store is null
        and events_with_stores.event_source in (
            select listed.event_source from {{ ref('audit_log_stores') }} as listed
        ) as may_touch_audit_log_store,
        {{ affected_resource() }} as resource,
        {{ array_map(json_texts('request_parameters', [
            'groupName', 'policyName', 'policyArn', 'managedPolicyArn', 'permissionSetArn', 'roleName', 'group'
        ]), "'/' || element || '/'") }} as names_granted
    from events_with_stores
    where
        is_wanted_without_store
        or cardholder_data_store is not null
        or audit_log_store is not null
        or is_target_unknown
),

final as (
    select
        wanted_events.*,
        coalesce(
            {{ first_listed('names_granted', 'listed_administrative_grants') }},
            case when {{ grants_everything() }} then 'a policy that allows everything' end
        ) as administrative_grant
    from wanted_events
)

select {{ model.columns.keys() | join(', ') or '*' }} from final
