{# Of the elements of a policy neither order nor case is fixed. A condition, or a second statement, may narrow what it
   grants: the flag says that somebody has to look. #}
{% macro grants_everything() -%}
    {%- set policy -%}
        lower({{ json_plain(first_json_text('request_parameters', ['policyDocument', 'inlinePolicy', 'policy'])) }})
    {%- endset -%}
    case
        -- most requests hold no policy
        when request_parameters like '%olicy%' then
            {{ regexp_like(policy, '"effect":"allow"') }}
            and {{ regexp_like(policy, '("action":[^{}"]?("[^"{}]*",)*"([*?:]+|iam:[*]+)"|"notaction":)') }}
            and {{ regexp_like(policy, '("resource":[^{}"]?("[^"{}]*",)*"(arn:[^:"]*:[*]:)?[*?:]+"|"notresource":)') }}
        else false
    end
{%- endmacro %}
