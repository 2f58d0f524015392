{# Each finding stands once: no two rows of the run date under one requirement are the same event. #}
{% test finding_is_unique(model) %}
    -- depends_on: {{ ref('daily_review') }}
    select
        requirement,
        {{ finding_key() | join(',\n        ') }},
        count(*) as copies
    from {{ model }}
    where run_date = {{ run_date_sql() }}
    group by requirement, {{ finding_key() | join(', ') }}
    having count(*) > 1
{% endtest %}
