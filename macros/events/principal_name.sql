{# Without path. A federated user goes by the user who issued the session, since that user chose the other name. Of
   another account's principal, the unique id is kept, and not the session name after it. #}
{% macro principal_name(identity, kind) -%}
    {%- set issuer = identity ~ '.sessioncontext.sessionissuer' -%}
    case {{ kind }}
        when 'root' then 'root'
        when 'permission set' then {{ permission_set(identity) }}
        when 'role' then coalesce(
            {{ known(issuer ~ '.username') }},
            {{ regexp_part(issuer ~ '.arn', '^arn:[^:]*:iam::[0-9]*:role/(?:.*/)?([^/]+)$') }},
            {{ regexp_part(identity ~ '.arn', '^arn:[^:]*:sts:[^:]*:[0-9]*:assumed-role/([^/]+)/') }},
            {{ regexp_part(identity ~ '.arn', '^arn:[^:]*:iam::[0-9]*:role/(?:.*/)?([^/]+)$') }}
        )
        when 'user' then coalesce(
            nullif({{ known(identity ~ '.username') }}, 'HIDDEN_DUE_TO_SECURITY_REASONS'),
            {{ regexp_part(identity ~ '.arn', '^arn:[^:]*:iam::[0-9]*:user/(?:.*/)?([^/]+)$') }}
        )
        when 'federated user' then coalesce(
            {{ known(issuer ~ '.username') }},
            {{ regexp_part(issuer ~ '.arn', '^arn:[^:]*:iam::[0-9]*:user/(?:.*/)?([^/]+)$') }}
        )
        when 'identity center user' then {{ known(identity ~ '.onbehalfof.userid') }}
        when 'account' then nullif(split_part({{ known(identity ~ '.principalid') }}, ':', 1), '')
        when 'service' then coalesce(
            case when {{ identity }}.invokedby like '%.amazonaws.com%' then {{ identity }}.invokedby end,
            case when eventtype = 'AwsServiceEvent' then {{ known('eventsource') }} end
        )
        else {{ known(identity ~ '.username') }}
    end
{%- endmacro %}
