{# The groups, policies and roles that a request names, as an array; of an ARN its parts, with `/` between and around. #}
{% macro names_granted() -%}
    {{ array_map(
        json_texts('request_parameters', [
            'groupName', 'policyName', 'policyArn', 'managedPolicyArn', 'permissionSetArn', 'roleName', 'group'
        ]),
        "'/' || element || '/'"
    ) }}
{%- endmacro %}
