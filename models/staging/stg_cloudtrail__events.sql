{{ config(
    materialized='incremental' if target.type == 'athena' else 'view',
    pre_hook='{{ add_partitions() }}'
) }}

-- the scope has to be loaded before the pre-hook reads it
-- depends_on: {{ ref('trail_scope') }}, {{ ref('aws_regions') }}
with delivered as (
    select logs.*, {{ log_file() }} as delivered_file
    from {{ source('cloudtrail', 'logs') }} as logs
    where {{ logs_of_run_date() }}
),

logs as (
    select *, {{ principal_kind('useridentity') }} as principal_kind from delivered
),

events as (
    select
        {{ known('eventid') }} as event_id,
        {{ timestamp_of('eventtime') }} as event_time,
        coalesce({{ known('recipientaccountid') }}, account_id) as aws_account_id,
        coalesce({{ known('awsregion') }}, region) as aws_region,
        {{ known('eventsource') }} as event_source,
        {{ known('eventname') }} as event_name,
        -- Insight events are statistics about calls, not calls: log_files counts them, and they are not looked at
        case when eventcategory = 'Insight' then 'AwsCloudTrailInsight' else {{ known('eventtype') }} end as event_type,
        -- network activity is any call through a VPC endpoint, those on data among them, whatever managementEvent says
        coalesce(
            eventcategory in ('Data', 'NetworkActivity') or lower(managementevent) = 'false', false
        ) as is_data_event,
        case lower(readonly) when 'true' then true when 'false' then false end as is_read_only,

        -- who
        {{ known('useridentity.type') }} as actor_type,
        {{ known('useridentity.arn') }} as actor_arn,
        {{ actor_name('useridentity') }} as actor_name,
        coalesce(
            {{ known('useridentity.accountid') }}, {{ known('useridentity.sessioncontext.sessionissuer.accountid') }}
        ) as actor_account_id,
        {{ known('useridentity.invokedby') }} is not null
        or coalesce(useridentity.type = 'AWSService', false)
        or coalesce(eventtype = 'AwsServiceEvent', false) as actor_is_service,
        {{ known('useridentity.sessioncontext.sessionissuer.arn') }} as session_issuer_arn,
        {{ known('useridentity.sessioncontext.sessionissuer.username') }} as session_issuer_name,
        {{ known('useridentity.sessioncontext.sourceidentity') }} as source_identity,
        -- the same as a structure, which settings name: what callers may choose has no place in it
        principal_kind,
        {{ principal_account('useridentity', 'principal_kind') }} as principal_account_id,
        {{ principal_name('useridentity', 'principal_kind') }} as principal_name,
        {{ known('useridentity.accesskeyid') }} as access_key_id,
        case lower(coalesce(
            useridentity.sessioncontext.attributes.mfaauthenticated, {{ mfa_used() }}
        )) when 'true' then true when 'yes' then true when 'false' then false when 'no' then false
        end as mfa_authenticated,

        -- from where, and how it ended
        {{ known('sourceipaddress') }} as source_ip,
        {{ known('useragent') }} as user_agent,
        {{ outcome() }} as outcome,
        {{ known('errorcode') }} as error_code,
        {{ known('errormessage') }} as error_message,

        -- on what
        {{ resource_arns() }} as resource_arns,
        {{ known('requestparameters') }} as request_parameters,
        {{ known('responseelements') }} as response_elements,
        {{ known('serviceeventdetails') }} as service_event_details,
        {{ known('sharedeventid') }} as shared_event_id,

        -- which file it was read from
        account_id as log_account_id,
        region as log_region,
        delivered_file as log_file,
        {{ delivered_on() }} as run_date
    from logs
)

select * from events
