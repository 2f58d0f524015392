{# What the wrapper listed beforehand is reconciled with what staging actually holds. With dbt alone there is no
   inventory: then Athena shows only the files from which staging read something. #}
{% macro log_files_delivered() %}
    with inventory as (
        select
            log_file, account_id, region, kind, size, etag, sha256, records, is_proven, problem, integrity_fault,
            covered_seconds
        from {{ source('cloudtrail', 'inventory') }}
        -- a folder's name, which is a date to DuckDB and text to Athena
        where cast(run_date as varchar) = '{{ run_date() }}'
    ),

    reviewed as (
        select
            log_file,
            log_account_id as account_id,
            log_region as region,
            count(*) as events,
            count(case when event_type = 'AwsCloudTrailInsight' then 1 end) as insight_events
        from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
        group by log_file, log_account_id, log_region
    ),

    {{ adapter.dispatch('log_files_read')() }}
{% endmacro %}

{# The reader of the log files lists every file, and says why one could not be read. #}
{% macro duckdb__log_files_read() %}
    reader as (
        select log_file, account_id, region, kind, size, sha256, events, problem
        from {{ source('cloudtrail', 'log_files') }}
        where run_date = {{ run_date_sql() }}
    )

    select
        coalesce(reader.log_file, inventory.log_file) as log_file,
        coalesce(reader.account_id, inventory.account_id) as account_id,
        coalesce(reader.region, inventory.region) as region,
        coalesce(reader.kind, inventory.kind) as kind,
        coalesce(reader.size, inventory.size) as size,
        inventory.etag,
        coalesce(reader.sha256, inventory.sha256) as sha256,
        coalesce(reader.events, 0) as events,
        coalesce(inventory.is_proven, false) as is_proven,
        case
            when reader.problem is not null then reader.problem
            when inventory.problem is not null then inventory.problem
            when inventory.log_file is null and (select count(listed.log_file) from inventory as listed) > 0
                then 'was not there when the files of the day were listed and checked'
            when reader.log_file is null and inventory.size is not null
                then 'was delivered, and was not there any more when it was to be read'
            when reader.sha256 <> inventory.sha256 then 'was changed while it was being reviewed'
            when coalesce(reviewed.events, 0) <> reader.events and reader.kind in ('log', 'network-activity')
                then 'only ' || coalesce(reviewed.events, 0) || ' of its ' || reader.events || ' records were reviewed'
        end as problem,
        inventory.integrity_fault,
        inventory.covered_seconds
    from reader
    full outer join inventory on reader.log_file = inventory.log_file
    left join reviewed on reader.log_file = reviewed.log_file
{% endmacro %}

{# Athena shows a file only by the rows that it read from it. #}
{% macro athena__log_files_read() %}
    scope as (
        {{ scope_regions() }}
    )

    select
        coalesce(inventory.log_file, reviewed.log_file) as log_file,
        coalesce(inventory.account_id, reviewed.account_id) as account_id,
        coalesce(inventory.region, reviewed.region) as region,
        coalesce(
            inventory.kind,
            case when reviewed.log_file like '%/CloudTrail-NetworkActivity/%' then 'network-activity' else 'log' end
        ) as kind,
        inventory.size,
        inventory.etag,
        inventory.sha256,
        coalesce(reviewed.events, 0) as events,
        coalesce(inventory.is_proven, false) as is_proven,
        case
            -- where no trail writes, the account and region are those of the path, if it has any
            when
                inventory.kind in ('log', 'network-activity') and scope.account_id is null
                and coalesce(inventory.problem, '') not like 'lies where CloudTrail writes no log file%'
                then 'is outside trail_scope, so it was not reviewed'
            when inventory.problem is not null then inventory.problem
            when inventory.log_file is null and (select count(listed.log_file) from inventory as listed) > 0
                then 'was not there when the files of the day were listed and checked'
            when
                inventory.kind in ('log', 'network-activity')
                and reviewed.log_file is null and coalesce(inventory.records, 1) > 0
                then 'was delivered, and nothing was read from it'
            when coalesce(reviewed.events, 0) <> inventory.records
                then
                    'only ' || cast(coalesce(reviewed.events, 0) as varchar) || ' of its '
                    || cast(inventory.records as varchar) || ' records were reviewed'
            when reviewed.insight_events > 0
                then
                    cast(reviewed.insight_events as varchar) || ' of its ' || cast(reviewed.events as varchar)
                    || ' records are Insight events, which are no calls'
        end as problem,
        inventory.integrity_fault,
        inventory.covered_seconds
    from inventory
    full outer join reviewed on inventory.log_file = reviewed.log_file
    left join scope on inventory.account_id = scope.account_id and inventory.region = scope.region
{% endmacro %}
