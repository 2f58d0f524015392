{# Each finding says how it ended, and what says failure in the record is never called a success. #}
{% test finding_has_known_outcome(model) %}
    -- depends_on: {{ ref('daily_review') }}
    select *
    from {{ model }}
    where
        run_date = {{ run_date_sql() }}
        and (
            coalesce(outcome, '') not in ('success', 'failure', 'denied')
            or (outcome = 'success' and error_code is not null)
            or (outcome = 'success' and event_name = 'ConsoleLogin' and response_elements like '%Failure%')
        )
{% endtest %}
