with scope as (
    {{ scope_regions() }}
),

log_files as (
    select * from {{ ref('log_files') }}
    where run_date = {{ run_date_sql() }}
),

delivered as (
    select
        account_id,
        region,
        count(case when kind = 'log' then 1 end) as files_of_all_calls,
        count(case when kind in ('log', 'network-activity') then 1 end) as log_files,
        count(case when kind = 'digest' then 1 end) as digest_files,
        -- CloudTrail writes a digest for each hour, also for one without logs. Only the wrapper reads and checks them;
        -- what counts is signed, of a trail that digest_trails.csv expects, and covers the hours by its start and end.
        -- Whole hours without a division of decimals, which Athena rounds to the nearest tenth: 23.99 would be 24.
        cast((coalesce(sum(covered_seconds), 0) - mod(coalesce(sum(covered_seconds), 0), 3600)) / 3600 as integer)
            as digest_hours,
        count(
            case when kind in ('log', 'network-activity') and problem is not null then 1 end
        ) as unread_log_files,
        count(case when kind in ('log', 'network-activity') and is_proven then 1 end) as proven_log_files,
        count(integrity_fault) as integrity_faults,
        coalesce(sum(case when kind in ('log', 'network-activity') then events end), 0) as events
    from log_files
    group by account_id, region
),

scope_and_delivered as (
    select
        coalesce(scope.account_id, delivered.account_id) as account_id,
        scope.account_name,
        coalesce(scope.region, delivered.region) as region,
        scope.account_id is not null as in_scope,
        coalesce(scope.in_cde, false) as in_cde,
        scope.logs_expected,
        -- network activity alone says nothing of the calls that a trail delivers to CloudTrail/
        coalesce(delivered.files_of_all_calls, 0) as files_of_all_calls,
        coalesce(delivered.log_files, 0) as log_files,
        coalesce(delivered.digest_files, 0) as digest_files,
        coalesce(delivered.digest_hours, 0) as digest_hours,
        coalesce(delivered.unread_log_files, 0) as unread_log_files,
        coalesce(delivered.proven_log_files, 0) as proven_log_files,
        coalesce(delivered.integrity_faults, 0) as integrity_faults,
        coalesce(delivered.events, 0) as events
    from scope
    full outer join delivered on scope.account_id = delivered.account_id and scope.region = delivered.region
),

final as (
    select
        account_id,
        account_name,
        region,
        in_scope,
        in_cde,
        logs_expected,
        case
            when not in_scope then 'out of scope'
            when files_of_all_calls > 0 then 'logs'
            when digest_hours >= 24 then 'quiet, proved by digests'
            when logs_expected = 'may be quiet' then 'quiet, may be'
            else 'missing'
        end as status,
        cast(log_files as integer) as log_files,
        cast(unread_log_files as integer) as unread_log_files,
        cast(digest_files as integer) as digest_files,
        cast(proven_log_files as integer) as proven_log_files,
        cast(integrity_faults as integer) as integrity_faults,
        cast(events as bigint) as events,
        case
            when not in_scope and log_files > 0
                then
                    cast(log_files as varchar)
                    || ' log files of an account or region outside trail_scope: not reviewed'
            when not in_scope
                then
                    cast(integrity_faults as varchar)
                    || ' log files or digests outside trail_scope are missing or not as CloudTrail delivered them'
            when files_of_all_calls = 0 and digest_hours < 24 and logs_expected <> 'may be quiet'
                then
                    'no logs'
                    || case when log_files > 0 then ' but those of network activity' else '' end
                    || ', though trail_scope expects them daily'
                    || case
                        when digest_files > 0
                            then
                                '; digests prove only ' || cast(digest_hours as varchar)
                                || ' of 24 hours to have been quiet'
                        else ''
                    end
            when unread_log_files > 0
                then
                    cast(unread_log_files as varchar) || ' of ' || cast(log_files as varchar)
                    || ' log files could not be reviewed whole'
                    || case
                        when integrity_faults > 0
                            then
                                ', and ' || cast(integrity_faults as varchar)
                                || ' log files or digests are missing or not as CloudTrail delivered them'
                        else ''
                    end
            when integrity_faults > 0
                then
                    cast(integrity_faults as varchar)
                    || ' log files or digests are missing or not as CloudTrail delivered them'
        end as gap,
        {{ run_date_sql() }} as run_date
    from scope_and_delivered
    where in_scope or log_files > 0 or integrity_faults > 0
)

select * from final
