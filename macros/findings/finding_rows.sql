{% macro finding_rows(requirement, kept_events) %}
    -- what expected_activity expects is marked, and never left out
    with marked as (
        select
            kept.*,
            '{{ requirement }}' as requirement,
            expected.line_id as expected_line,
            expected.reason,
            expected.is_broad,
            -- CloudTrail may deliver an event twice: rows that say the same of everything are one event, and the copy
            -- from the first log file is kept; if several lines expect it, a narrow one counts
            row_number() over (
                partition by kept.resource_arns, kept.{{ finding_key() | join(', kept.') }}
                order by expected.is_broad, expected.line_id, kept.log_file
            ) as copy_number,
            first_value(expected.line_id) over (
                partition by kept.resource_arns, kept.{{ finding_key() | join(', kept.') }}
                order by expected.is_broad, expected.line_id, kept.log_file
            ) as first_line
        from {{ kept_events }} as kept
        left join {{ ref('int_expected_calls') }} as expected
            on
                '{{ requirement }}' like expected.requirement
                and kept.principal_kind = expected.principal_kind
                and kept.principal_account_id = expected.principal_account_id
                and kept.principal_name = expected.principal_name
                and kept.event_source = expected.event_source
                and kept.event_name = expected.event_name
                and (expected.source_ip is null or kept.source_ip = expected.source_ip)
                -- it was approved and had not expired when the event was delivered, and when it happened
                and kept.run_date between expected.approved_on and expected.expires_on
                and coalesce(cast(kept.event_time as date), kept.run_date)
                between expected.approved_on and expected.expires_on
                and case
                    when expected.resource = '%' then true
                    else {{ all_of(
                        "split(coalesce(kept.resource_arns, kept.resource, ''), chr(10))",
                        is_resource('element', 'expected.resource')
                    ) }}
                end
                -- what root does is expected by lines that name root
                and not (expected.is_broad and coalesce(kept.is_root or kept.is_session_of_root, false))
    ),

    -- what has no id is never the same event
    single as (
        select *
        from marked
        where copy_number = 1 or (event_id is null and coalesce(expected_line, '') = coalesce(first_line, ''))
    ),

    -- broad lines mark nothing where they would mark more than half of what narrow ones leave
    judged as (
        select
            *,
            coalesce(is_broad, false)
            and 2 * count(case when is_broad then 1 end) over ()
            > count(case when coalesce(is_broad, true) then 1 end) over () as is_too_broad
        from single
    ),

    described as (
        select
            judged.*,
            expected_line is not null and not is_too_broad as is_expected,
            case when not is_too_broad then reason end as expected_reason,
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
        from judged
    )

    {#- dbt knows the YAML's columns when it runs the model, but not in a unit test, which names those it compares #}
    select {{ model.columns.keys() | join(', ') or '*' }}
    from described
{% endmacro %}
