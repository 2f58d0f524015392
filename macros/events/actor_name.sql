{% macro actor_name(identity) -%}
    coalesce(
        case when {{ identity }}.type = 'Root' then 'root' end,
        {{ known(identity ~ '.username') }},
        case
            when {{ identity }}.arn like '%:assumed-role/%' then split_part({{ identity }}.arn, ':assumed-role/', 2)
        end,
        case
            when {{ identity }}.arn like '%user/%' then {{ regexp_part(identity ~ '.arn', ':[a-z-]*user/(.+)$') }}
        end,
        {{ known(identity ~ '.invokedby') }},
        {{ known(identity ~ '.sessioncontext.sessionissuer.username') }},
        {{ known(identity ~ '.onbehalfof.userid') }},
        {{ known(identity ~ '.arn') }},
        {{ known(identity ~ '.principalid') }},
        case when eventtype = 'AwsServiceEvent' then {{ known('eventsource') }} end,
        {{ known(identity ~ '.accountid') }}
    )
{%- endmacro %}
