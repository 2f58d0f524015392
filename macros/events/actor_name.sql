{% macro actor_name(identity) -%}
    coalesce(
        case when {{ identity }}.type = 'Root' or {{ identity }}.arn like '%:root' then 'root' end,
        {{ known(identity ~ '.username') }},
        -- the sixth part, for an IAM path, which its user chose, may hold colons
        case
            when split_part({{ identity }}.arn, ':', 6) like 'assumed-role/%'
                then split_part({{ identity }}.arn, ':assumed-role/', 2)
        end,
        case
            when {{ identity }}.arn like '%user/%'
                then {{ regexp_part(identity ~ '.arn', '^arn:[^:]*:[^:]*:[^:]*:[^:]*:[a-z-]*user/(.+)$') }}
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
