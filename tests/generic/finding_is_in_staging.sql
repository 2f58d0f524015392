{# Each finding is an event that was read that day, from the file that it names. #}
{% test finding_is_in_staging(model) %}
    -- depends_on: {{ ref('daily_review') }}
    select findings.*
    from {{ model }} as findings
    where
        findings.run_date = {{ run_date_sql() }}
        and not exists (
            select 1
            from {{ ref('stg_cloudtrail__events') }} as events
            where
                events.run_date = {{ run_date_sql() }}
                and events.log_file = findings.log_file
                and coalesce(events.event_id, '') = coalesce(findings.event_id, '')
        )
{% endtest %}
