{{ config(tags=['settings']) }}

-- Two lines for one account and region would contradict each other. They stop the run: only the seed is asked.
select
    account_id,
    region,
    count(*) as times_named
from {{ ref('trail_scope') }}
group by account_id, region
having count(*) > 1
