{# Each finding is there for a reason: its event stands in the catalogue for the requirement, or meets the model's own
   rule. #}
{% test finding_is_in_catalogue(model, own_rule='false') %}
    -- depends_on: {{ ref('daily_review') }}
    select findings.*
    from {{ model }} as findings
    where
        findings.run_date = {{ run_date_sql() }}
        and not coalesce({{ own_rule }}, false)
        and not exists (
            select 1
            from {{ ref('reviewed_events') }} as reviewed
            where
                reviewed.requirement = findings.requirement
                and findings.event_source like reviewed.event_source
                and findings.event_name like reviewed.event_name
        )
{% endtest %}
