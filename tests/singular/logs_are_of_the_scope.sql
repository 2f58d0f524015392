-- dbt alone on Athena can't list what was delivered. Where no event of the run date was read, the logs are more likely
-- of accounts that trail_scope does not name, or elsewhere, than silent. The wrapper names such logs as a gap, and the
-- embedded target says so before it reads them.
select 'no event was read: trail_scope names none of the accounts, or PCI_LOG_REVIEW_LOGS another place' as problem
from (
    select count(*) as events
    from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
) as read_events
where
    events = 0
    and {{ 'true' if target.type == 'athena' and not env_var('PCI_LOG_REVIEW_CONVERTED', '') else 'false' }}
