{# The files delivered on the run date, of whatever kind, in scope or not: how many events were read from each, and what
   is wrong with it. #}
{% macro log_files_delivered() %}
    {{- return(adapter.dispatch('log_files_delivered')()) -}}
{% endmacro %}

{% macro duckdb__log_files_delivered() %}
    select log_file, account_id, region, kind, size, sha256, events, problem
    from {{ source('cloudtrail', 'log_files') }}
    where run_date = {{ run_date_sql() }}
{% endmacro %}

{# The wrapper lists the bucket; with dbt alone only the files show from which staging read something. A file that can't
   be read fails the run here. #}
{% macro athena__log_files_delivered() %}
    with listed as (
        select log_file, account_id, region, kind, size
        from {{ source('cloudtrail', 'log_files') }}
        where run_date = '{{ run_date() }}'
    ),

    read_files as (
        select log_file, log_account_id as account_id, log_region as region, count(*) as events
        from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
        group by log_file, log_account_id, log_region
    ),

    scope as (
        {{ scope_regions() }}
    )

    select
        coalesce(listed.log_file, read_files.log_file) as log_file,
        coalesce(listed.account_id, read_files.account_id) as account_id,
        coalesce(listed.region, read_files.region) as region,
        coalesce(listed.kind, 'log') as kind,
        listed.size,
        cast(null as varchar) as sha256,
        coalesce(read_files.events, 0) as events,
        case
            when listed.kind = 'log' and scope.account_id is null
                then 'is outside trail_scope, so it was not reviewed'
        end as problem
    from listed
    full outer join read_files on listed.log_file = read_files.log_file
    left join scope on listed.account_id = scope.account_id and listed.region = scope.region
{% endmacro %}
