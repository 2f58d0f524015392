-- depends_on: {{ ref('stg_cloudtrail__events') }}
with log_files as (
    {{ log_files_delivered() }}
),

final as (
    select
        log_file,
        account_id,
        region,
        kind,
        cast(size as bigint) as size,
        etag,
        sha256,
        cast(events as bigint) as events,
        is_proven,
        problem,
        cast(covered_seconds as integer) as covered_seconds,
        integrity_fault,
        {{ run_date_sql() }} as run_date
    from log_files
)

select * from final
