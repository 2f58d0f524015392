-- The day's review has one row for each requirement, and counts every finding of the run date once.
with counted as (
    select
        requirement,
        count(*) as review_rows,
        sum(findings) as findings
    from {{ ref('daily_review') }}
    where run_date = {{ run_date_sql() }}
    group by requirement
),

found as (
    select
        requirement,
        count(*) as findings
    from {{ ref('findings') }}
    where run_date = {{ run_date_sql() }}
    group by requirement
),

requirements as (
    select requirement from {{ ref('requirements') }}
    union
    select requirement from found
)

select
    requirements.requirement,
    coalesce(counted.review_rows, 0) as review_rows,
    coalesce(counted.findings, 0) as counted_findings,
    coalesce(found.findings, 0) as findings
from requirements
left join counted on requirements.requirement = counted.requirement
left join found on requirements.requirement = found.requirement
where
    coalesce(counted.review_rows, 0) <> 1
    or coalesce(counted.findings, 0) <> coalesce(found.findings, 0)
