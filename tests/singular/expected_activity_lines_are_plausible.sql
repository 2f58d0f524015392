{{ config(tags=['settings']) }}

-- Lines that mark nothing, because they name nobody, would mark too much, or have no days. They stop the run: only the
-- seed is asked.
select
    *,
    {{ expected_line_fault() }} as fault
from {{ ref('expected_activity') }}
where {{ expected_line_fault() }} is not null
