{# What the record does not say (kind, account, the path of a role) may be an administrator's: unknown is not no. #}
{% macro is_administrator(principal, line, principal_is_in_scope) -%}
    (
        (
            {{ principal }}.principal_account_id = {{ line }}.principal_account
            or {{ principal }}.principal_account_id is null
            or ({{ line }}.principal_account = 'any account in scope' and {{ principal_is_in_scope }})
        )
        and (
            (
                {{ named_by(principal ~ '.principal_name', line ~ '.principal_name') }}
                and (
                    {{ principal }}.principal_kind in ({{ line }}.principal_kind, 'unknown')
                    -- whoever has a user's keys can make federated sessions of them
                    or ({{ principal }}.principal_kind = 'federated user' and {{ line }}.principal_kind = 'user')
                )
            )
            or (
                {{ principal }}.principal_kind = 'role' and {{ line }}.principal_kind = 'permission set'
                and {{ named_by(
                    principal ~ '.principal_name', "'AWSReservedSSO_' || " ~ line ~ ".principal_name || '_%'"
                ) }}
            )
        )
    )
    -- the session is a role's, and whoever began it is named, in whatever account that was
    or (
        {{ line }}.principal_kind in ('user', 'source identity')
        and {{ named_by(principal ~ '.source_identity', line ~ '.principal_name') }}
    )
{%- endmacro %}
