{# Each finding has the six details that 10.2.2 asks for, or stands among the incomplete records. #}
{% test finding_has_six_details(model) %}
    -- depends_on: {{ ref('daily_review') }}
    with listed as (
        select distinct log_file, coalesce(event_id, '') as event_id
        from {{ ref('pci_10_2_2_incomplete_records') }}
        where run_date = {{ run_date_sql() }}
    )

    select findings.*
    from {{ model }} as findings
    left join listed on findings.log_file = listed.log_file and coalesce(findings.event_id, '') = listed.event_id
    where
        findings.run_date = {{ run_date_sql() }}
        and listed.log_file is null
        and (
            findings.actor_name is null
            or findings.event_name is null
            or findings.event_time is null
            or findings.outcome is null
            or findings.source_ip is null
            or coalesce(findings.resource, findings.event_source) is null
        )
{% endtest %}
