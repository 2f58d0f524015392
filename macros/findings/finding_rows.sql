{% macro finding_rows(requirement, kept_events) %}
    -- what expected_activity expects is marked, and never left out
    with lines as (
        select
            *,
            {{ resource_beginning('resource') }} as resource_beginning
        from {{ ref('int_expected_calls') }}
        where '{{ requirement }}' like requirement
    ),

    -- an event with each line that names its call; whether the line names all the rest
    candidates as (
        select
            kept.*,
            lines.line_id,
            lines.reason,
            coalesce(lines.is_broad, false) as is_broad,
            coalesce(
                -- it was approved when the event happened and was delivered, and had not expired
                least(coalesce(cast(kept.event_time as date), kept.run_date), kept.run_date) >= lines.approved_on
                and greatest(coalesce(cast(kept.event_time as date), kept.run_date), kept.run_date) <= lines.expires_on
                and case
                    when lines.resource = '%' then true
                    else {{ all_of(
                        "split(coalesce(kept.resource_arns, kept.resource, ''), chr(10))",
                        is_resource('element', 'lines.resource', 'lines.resource_beginning')
                    ) }}
                end
                -- what root does is expected by lines that name root
                and not (lines.is_broad and coalesce(kept.is_root or kept.is_session_of_root, false)),
                false
            ) as is_named
        from {{ kept_events }} as kept
        left join lines
            on
                kept.principal_kind = lines.principal_kind
                and kept.principal_account_id = lines.principal_account_id
                and kept.principal_name = lines.principal_name
                and kept.event_source = lines.event_source
                and kept.event_name = lines.event_name
                and coalesce(kept.source_ip, '') = coalesce(lines.source_ip, '')
    ),

    -- CloudTrail may deliver an event twice: rows that say the same of everything are one event, and the copy from the
    -- first log file is kept; if several lines expect it, a narrow one counts
    copies as (
        select
            candidates.*,
            row_number() over (
                partition by resource_arns, {{ finding_key() | join(', ') }}
                order by is_named desc, is_broad asc, line_id asc, log_file asc
            ) as copy_number,
            first_value(line_id) over (
                partition by resource_arns, {{ finding_key() | join(', ') }}
                order by is_named desc, is_broad asc, line_id asc, log_file asc
            ) as first_line
        from candidates
    ),

    single as (
        select
            copies.*,
            '{{ requirement }}' as requirement,
            case when is_named then line_id end as expected_line
        from copies
        -- what has no id is never the same event, though several lines may name its call
        where copy_number = 1 or (event_id is null and coalesce(line_id, '') = coalesce(first_line, ''))
    ),

    -- broad lines mark nothing where they would mark more than half of what narrow ones leave
    judged as (
        select
            single.*,
            is_broad
            and 2 * count(case when is_broad then expected_line end) over ()
            > count(case when is_broad or expected_line is null then 1 end) over () as is_too_broad
        from single
    ),

    described as (
        select
            judged.*,
            expected_line is not null and not is_too_broad as is_expected,
            case when expected_line is not null and not is_too_broad then reason end as expected_reason,
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
