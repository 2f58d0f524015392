{# A service acts in the account that was called. #}
{% macro principal_account(identity, kind) -%}
    coalesce(
        {{ known(identity ~ '.sessioncontext.sessionissuer.accountid') }},
        {{ known(identity ~ '.accountid') }},
        nullif(split_part({{ identity }}.sessioncontext.sessionissuer.arn, ':', 5), ''),
        nullif(split_part({{ identity }}.arn, ':', 5), ''),
        case when {{ kind }} = 'service' then coalesce({{ known('recipientaccountid') }}, account_id) end
    )
{%- endmacro %}
