{{ config(severity='warn') }}

-- Lines that mark nothing any more: renew the approval, or take the line out.
select
    requirement,
    principal_name,
    event_source,
    event_name,
    resource,
    reason,
    expires_on
from {{ ref('expected_activity') }}
where try_cast(expires_on as date) < {{ run_date_sql() }}
