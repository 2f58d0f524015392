{{ config(severity='warn') }}

-- Why the run date is not complete: accounts and regions whose logs are missing, unreadable or out of scope, a day with
-- nothing in scope, and requirements whose settings are empty. A warning, because the review did run; the wrapper ends
-- with exit code 3.
select
    account_id || ' ' || region as what,
    gap
from {{ ref('log_coverage') }}
where run_date = {{ run_date_sql() }} and gap is not null

union all

select
    'trail_scope' as what,
    'is empty: nothing was reviewed' as gap
from {{ ref('daily_review') }}
where run_date = {{ run_date_sql() }} and regions_in_scope = 0

union all

select
    requirement as what,
    'is not configured: ' || settings_gap as gap
from {{ ref('daily_review') }}
where run_date = {{ run_date_sql() }} and settings_gap is not null
