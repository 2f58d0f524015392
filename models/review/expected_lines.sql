-- What each line of expected_activity marked: whether it was as narrow as it was meant.
with lines as (
    select
        expected_activity.*,
        {{ expected_line_id() }} as line_id,
        {{ expected_line_is_narrow() }} as is_narrow,
        {{ expected_line_fault() }} as fault
    from {{ ref('expected_activity') }} as expected_activity
),

-- the findings are read once: what a line marked and, over all lines and none, what its requirement has
marked as (
    select
        expected_line as line_id,
        requirement,
        sum(count(*)) over (partition by requirement) as findings,
        count(case when is_expected then 1 end) as marked,
        count(case when not is_expected then 1 end) as refused,
        sum(count(case when principal_kind = 'root' then 1 end)) over (partition by requirement) as findings_of_root,
        count(case when is_expected and principal_kind = 'root' then 1 end) as marked_of_root,
        min(event_time) as first_event
    from {{ ref('findings') }}
    where run_date = {{ run_date_sql() }}
    group by expected_line, requirement
),

final as (
    select
        lines.line_id,
        lines.requirement as requirement_named,
        lines.principal_kind,
        lines.principal_account,
        lines.principal_name,
        lines.source_networks,
        lines.event_source,
        lines.event_name,
        lines.resource,
        lines.reason,
        lines.approved_by,
        lines.approved_on,
        lines.expires_on,
        lines.is_narrow,
        case
            when lines.fault is not null then 'refused: ' || lines.fault
            when marked.refused > 0 then 'refused: too broad for what was found'
            when try_cast(lines.expires_on as date) < {{ run_date_sql() }} then 'expired'
            when try_cast(lines.approved_on as date) > {{ run_date_sql() }} then 'not yet approved'
            else 'in force'
        end as status,
        marked.requirement,
        cast(coalesce(marked.findings, 0) as integer) as findings,
        cast(coalesce(marked.marked, 0) as integer) as marked,
        cast(coalesce(marked.refused, 0) as integer) as refused,
        cast(coalesce(marked.findings_of_root, 0) as integer) as findings_of_root,
        cast(coalesce(marked.marked_of_root, 0) as integer) as marked_of_root,
        marked.first_event,
        {{ run_date_sql() }} as run_date
    from lines
    left join marked on lines.line_id = marked.line_id
)

select * from final
