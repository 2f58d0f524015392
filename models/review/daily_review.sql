with requirements as (
    select * from {{ ref('requirements') }}
),

settings_lines as (
    {% for name in needed_settings() %}
        select
            '{{ name }}' as settings_file,
            count(*) as line_count
        from {{ ref(name) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- empty, and nobody has said why there is nothing to list
unsaid as (
    select
        requirements.requirement,
        settings_lines.settings_file
        || ' is empty: name what is yours there, or say in nothing_to_list why there is nothing' as settings_gap
    from requirements
    inner join settings_lines on requirements.settings_file = settings_lines.settings_file
    where
        settings_lines.line_count = 0
        and not exists (
            select 1 from {{ ref('nothing_to_list') }} as nothing_to_list
            where nothing_to_list.settings_file = settings_lines.settings_file
        )
),

counts as (
    select
        requirement,
        count(*) as findings,
        count(case when is_expected then 1 end) as expected_findings,
        count(case when outcome = 'success' then 1 end) as done,
        count(case when outcome = 'failure' then 1 end) as failed,
        count(case when outcome = 'denied' then 1 end) as denied
    from {{ ref('findings') }}
    where run_date = {{ run_date_sql() }}
    group by requirement
),

coverage as (
    select
        count(case when in_scope and status = 'logs' then 1 end) as with_logs,
        count(case when in_scope then 1 end) as in_scope,
        count(gap) as gaps,
        coalesce(sum(case when in_scope then log_files - unread_log_files end), 0) as log_files_read,
        coalesce(sum(case when in_scope then events end), 0) as events
    from {{ ref('log_coverage') }}
    where run_date = {{ run_date_sql() }}
),

final as (
    select
        requirements.requirement,
        requirements.model,
        requirements.pci_dss_v4_0_1,
        requirements.pci_dss_v3_2_1,
        requirements.asks,
        case
            -- of a file that could not be reviewed whole, some events may have been read
            when coverage.log_files_read = 0 and coverage.events = 0 then 'no logs'
            when unsaid.settings_gap is not null then 'not configured'
            when coalesce(counts.findings, 0) = 0 then 'no findings'
            else 'findings'
        end as result,
        cast(coalesce(counts.findings, 0) as integer) as findings,
        cast(coalesce(counts.expected_findings, 0) as integer) as expected_findings,
        cast(coalesce(counts.findings - counts.expected_findings, 0) as integer) as unexpected_findings,
        cast(coalesce(counts.done, 0) as integer) as done,
        cast(coalesce(counts.failed, 0) as integer) as failed,
        cast(coalesce(counts.denied, 0) as integer) as denied,
        -- a day with nothing in scope is not a complete one
        coverage.gaps = 0 and coverage.in_scope > 0 and count(unsaid.settings_gap) over () = 0 as is_complete,
        unsaid.settings_gap,
        cast(coverage.gaps as integer) as gaps,
        cast(coverage.with_logs as integer) as regions_with_logs,
        cast(coverage.in_scope as integer) as regions_in_scope,
        cast(coverage.log_files_read as integer) as log_files,
        cast(coverage.events as bigint) as events,
        {{ run_date_sql() }} as run_date
    from requirements
    cross join coverage
    left join counts on requirements.requirement = counts.requirement
    left join unsaid on requirements.requirement = unsaid.requirement
)

select * from final
