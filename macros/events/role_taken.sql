{# Where neither the request nor the list of resources names the role, the response may. The console's SwitchRole is
   recorded as done by the role itself; Identity Center names a permission set and its account. #}
{% macro role_taken() -%}
    case
        when event_name in ('AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity') then coalesce(
            {{ first_json_text('request_parameters', ['roleArn']) }},
            {{ regexp_part('resource_arns', '(arn:[^:]*:iam::[0-9]+:role/[^\n]+)') }},
            {{ regexp_part('response_elements', '"(arn:[^:]*:sts::[0-9]+:assumed-role/[^/"]+)/') }}
        )
        when event_name = 'SwitchRole'
            then {{ regexp_part('actor_arn', '^(arn:[^:]*:sts::[0-9]+:assumed-role/[^/]+)/') }}
        when event_name in ('GetRoleCredentials', 'Federate') then 'arn:aws:sso::' || coalesce(
            {{ first_json_text('service_event_details', ['account_id', 'accountId']) }},
            {{ first_json_text('request_parameters', ['accountId', 'account_id']) }}, ''
        ) || ':permission-set/' || coalesce(
            {{ first_json_text('service_event_details', ['role_name', 'roleName']) }},
            {{ first_json_text('request_parameters', ['roleName', 'role_name']) }}
        )
    end
{%- endmacro %}
