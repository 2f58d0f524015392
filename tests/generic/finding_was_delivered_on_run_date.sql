{# Each finding's log file lies in the folder of the run date. #}
{% test finding_was_delivered_on_run_date(model) %}
    -- depends_on: {{ ref('daily_review') }}
    select *
    from {{ model }}
    where
        run_date = {{ run_date_sql() }}
        and log_file not like 'AWSLogs/%/CloudTrail/%/{{ run_date() | replace('-', '/') }}/%'
{% endtest %}
