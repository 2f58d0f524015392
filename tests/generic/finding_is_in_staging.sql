{# Each finding is an event that was read that day, from the file that it names. #}
{% test finding_is_in_staging(model) %}
    -- depends_on: {{ ref('daily_review') }}
    with findings as (
        select
            *,
            coalesce(event_id, '') as known_event_id
        from {{ model }}
        where run_date = {{ run_date_sql() }}
    ),

    -- the few findings are looked up among the many events, not the other way round
    events as (
        select distinct
            log_file,
            coalesce(event_id, '') as known_event_id
        from {{ ref('stg_cloudtrail__events') }}
        where
            run_date = {{ run_date_sql() }}
            and (log_file, coalesce(event_id, '')) in (select found.log_file, found.known_event_id from findings as found)
    )

    select findings.*
    from findings
    left join events on findings.log_file = events.log_file and findings.known_event_id = events.known_event_id
    where events.log_file is null
{% endtest %}
