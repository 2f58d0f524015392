{{ config(tags=['settings']) }}

-- Lines that mark nothing, because they name nobody, would mark too much, or have no days. They stop the run: only the
-- seed is asked.
select
    requirement,
    principal_kind,
    principal_account,
    principal_name,
    event_source,
    event_name,
    resource,
    reason,
    {{ expected_line_fault() }} as fault
from {{ ref('expected_activity') }}
where {{ expected_line_fault() }} is not null
