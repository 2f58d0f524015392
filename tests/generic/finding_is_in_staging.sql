{# Each finding is an event that was read that day, from the file that it names. #}
{% test finding_is_in_staging(model) %}
    -- depends_on: {{ ref('daily_review') }}
    with events as (
        select distinct log_file, coalesce(event_id, '') as event_id
        from {{ ref('stg_cloudtrail__events') }}
        where run_date = {{ run_date_sql() }}
    )

    select findings.*
    from {{ model }} as findings
    left join events on findings.log_file = events.log_file and coalesce(findings.event_id, '') = events.event_id
    where findings.run_date = {{ run_date_sql() }} and events.log_file is null
{% endtest %}
