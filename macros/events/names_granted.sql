{# The groups, policies and roles that a request names, as an array, each with `/` around it: so a listed name is found
   in an ARN, too. #}
{% macro names_granted() -%}
    {{ array_map(
        json_texts('request_parameters', [
            'groupName', 'policyName', 'policyArn', 'managedPolicyArn', 'permissionSetArn', 'roleName', 'group'
        ]),
        "'/' || element || '/'"
    ) }}
{%- endmacro %}
