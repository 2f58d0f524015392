{% macro finding_rows(requirement, kept_events) %}
    -- what expected_activity expects is marked, and never left out
    with marked as (
        select
            kept.*,
            '{{ requirement }}' as requirement,
            expected.reason is not null as is_expected,
            expected.reason as expected_reason,
            -- CloudTrail may deliver an event twice: rows with equal account, id, time, call, error, request and
            -- response are one event, and the copy from the first log file is kept; if several lines expect it, the
            -- first reason
            row_number() over (
                partition by kept.{{ finding_key() | join(', kept.') }}
                order by
                    kept.log_file, kept.mfa_authenticated, kept.actor_arn, kept.actor_name, kept.access_key_id,
                    kept.source_ip, kept.user_agent, kept.error_message, kept.resource_arns, kept.shared_event_id,
                    expected.reason
            ) as copy_number
        from {{ kept_events }} as kept
        left join {{ ref('expected_activity') }} as expected
            on
                '{{ requirement }}' like expected.requirement
                and coalesce(kept.actor_arn, case when kept.actor_is_service then kept.actor_name end, '')
                like expected.principal
                and coalesce(kept.event_source, '') like expected.event_source
                and coalesce(kept.event_name, '') like expected.event_name
                and coalesce(kept.resource, '') like expected.resource
                and try_cast(expected.expires_on as date) >= kept.run_date
    ),

    described as (
        select
            marked.*,
            -- who did what to what, from where, and how it ended
            coalesce(actor_name, 'Somebody unknown')
            || case
                when actor_is_service then ' (an AWS service)'
                when actor_type is null then ''
                else ' (' || actor_type || ')'
            end
            || case outcome when 'success' then ' called ' else ' tried ' end
            || coalesce(event_name, 'something unnamed')
            || coalesce(' of ' || replace(event_source, '.amazonaws.com', ''), '')
            || coalesce(' on ' || resource, '')
            || ' in account ' || aws_account_id || ', ' || aws_region
            || coalesce(', from ' || source_ip, '')
            || case outcome
                when 'success' then ', and it was done'
                when 'denied' then ', and it was denied'
                else ', and it failed'
            end
            || coalesce(' (' || error_code || ')', '')
            || case when mfa_authenticated then ', with MFA' when not mfa_authenticated then ', without MFA' else '' end
            || '.' as detail
        from marked
        where copy_number = 1
    )

    {#- dbt knows the YAML's columns when it runs the model, but not in a unit test, which names those it compares #}
    select {{ model.columns.keys() | join(', ') or '*' }}
    from described
{% endmacro %}
