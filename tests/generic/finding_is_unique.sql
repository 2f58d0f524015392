{# Each finding stands once: no two rows of the run date under one requirement are the same event. What has no id is
   never the same event as another. #}
{% test finding_is_unique(model) %}
    -- depends_on: {{ ref('daily_review') }}
    select
        requirement,
        count(*) as copies
    from {{ model }}
    where run_date = {{ run_date_sql() }} and event_id is not null
    group by requirement, {{ fingerprint(finding_key()) }}
    having count(*) > 1
{% endtest %}
