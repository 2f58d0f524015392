{# IAM reserves the path for the roles of Identity Center: a role of that name at another path is just a role. #}
{% macro permission_set(identity) -%}
    {%- set issuer_arn = identity ~ '.sessioncontext.sessionissuer.arn' -%}
    case
        when {{ issuer_arn }} like '%:role/aws-reserved/sso.amazonaws.com/%' then {{ regexp_part(
            issuer_arn,
            '^arn:[^:]*:iam::[0-9]+:role/aws-reserved/sso[.]amazonaws[.]com/(?:[a-z0-9-]+/)?'
            ~ 'AWSReservedSSO_(.+)_[0-9a-zA-Z]+$'
        ) }}
    end
{%- endmacro %}
