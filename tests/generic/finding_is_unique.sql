{# Each finding stands once: no two rows of the run date are the same event of the same account. #}
{% test finding_is_unique(model) %}
    -- depends_on: {{ ref('daily_review') }}
    select
        aws_account_id, event_id, event_time, event_source, event_name, error_code, request_parameters, response_elements,
        count(*) as copies
    from {{ model }}
    where run_date = {{ run_date_sql() }}
    group by
        aws_account_id, event_id, event_time, event_source, event_name, error_code, request_parameters, response_elements
    having count(*) > 1
{% endtest %}
