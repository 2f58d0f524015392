{# From the record's structure alone: names, IAM paths, session names and keys are chosen by whoever calls. In an ARN,
   only an IAM path can hold a colon, and an ARN never ends with a path: what ends with `:root` is root. The type is
   asked first; where it is missing, the session's issuer and the ARN. #}
{% macro principal_kind(identity) -%}
    {%- set issuer = identity ~ '.sessioncontext.sessionissuer' -%}
    case
        when
            {{ identity }}.type = 'Root' or {{ issuer }}.type = 'Root'
            or {{ identity }}.arn like '%:root' or {{ issuer }}.arn like '%:root'
            then 'root'
        when {{ identity }}.type = 'IAMUser' then 'user'
        when {{ identity }}.type in ('AssumedRole', 'Role')
            then case when {{ permission_set(identity) }} is not null then 'permission set' else 'role' end
        when {{ identity }}.type = 'FederatedUser' then 'federated user'
        when {{ identity }}.type = 'IdentityCenterUser' then 'identity center user'
        when {{ identity }}.type = 'AWSService' then 'service'
        when {{ identity }}.type = 'AWSAccount' then 'account'
        when {{ known(identity ~ '.type') }} is not null then 'unknown'
        when {{ issuer }}.type = 'Role'
            then case when {{ permission_set(identity) }} is not null then 'permission set' else 'role' end
        when {{ issuer }}.type = 'IAMUser' then 'federated user'
        when {{ known(identity ~ '.arn') }} is not null
            then case {{ regexp_part(
                identity ~ '.arn', '^arn:[^:]*:(?:iam|sts):[^:]*:[0-9]*:(user|role|assumed-role|federated-user)/'
            ) }}
                when 'user' then 'user'
                when 'role' then 'role'
                when 'assumed-role' then 'role'
                when 'federated-user' then 'federated user'
                else 'unknown'
            end
        when eventtype = 'AwsServiceEvent' then 'service'
        else 'unknown'
    end
{%- endmacro %}
