{# Findings out of reviewed events: with the affected resource, a sentence, and the mark whether seeds/settings/
   expected_activity.csv expects them; an event that was delivered twice is one finding.

   requirement: its key in seeds/catalogue/requirements.csv
   reviewed:    the relation of events, with their title, and with the flags
   flags:       columns that the model adds after the shared ones #}
{% macro findings(requirement, reviewed, flags=[]) %}
    with named as (
        select
            reviewed.*,
            {{ affected_resource() }} as resource
        from {{ reviewed }} as reviewed
    ),

    marked as (
        select
            named.*,
            '{{ requirement }}' as requirement,
            expected.reason is not null as is_expected,
            expected.reason as expected_reason,
            -- CloudTrail may deliver an event twice. It then has the same account and event id, and says the same: an
            -- id that a broken writer gives to different events hides none of them. Of copies that differ in anything
            -- else, the same one stays whatever the engine and the order of reading.
            row_number() over (
                partition by
                    aws_account_id, event_id, event_time, named.event_source, named.event_name, error_code,
                    request_parameters, response_elements
                order by
                    log_file, mfa_authenticated, actor_arn, actor_name, access_key_id, source_ip, user_agent,
                    error_message, resource_arns, shared_event_id, expected.reason
            ) as copy
        from named
        left join {{ ref('expected_activity') }} as expected
            on
                '{{ requirement }}' like expected.requirement
                and coalesce(actor_arn, case when actor_is_service then actor_name end, '') like expected.principal
                and coalesce(named.event_source, '') like expected.event_source
                and coalesce(named.event_name, '') like expected.event_name
                and coalesce(named.resource, '') like expected.resource
                and try_cast(expected.expires_on as date) >= run_date
    ),

    described as (
        select
            marked.*,
            {{ detail() }} as detail
        from marked
        where copy = 1
    )

    select
        {{ column_order(finding_columns() + flags) | join(',\n        ') }}
    from described
{% endmacro %}
