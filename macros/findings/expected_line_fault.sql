{# The rules of scripts/pci_log_review/settings/principals.py, so that a line which nobody checked marks nothing. #}
{% macro expected_line_fault() -%}
    case
        when
            coalesce(principal_kind, '') not in (
                'root', 'user', 'role', 'permission set', 'federated user', 'identity center user', 'service', 'account'
            )
            then 'it names no kind of principal'
        when
            coalesce(principal_account, '') <> 'any account in scope'
            and not {{ regexp_like("coalesce(principal_account, '')", '^[0-9]{12}$') }}
            then 'it names no account'
        when
            principal_kind = 'root'
            and (
                principal_name <> 'root' or principal_account = 'any account in scope'
                or event_source like '%!%%' escape '!' or event_name like '%!%%' escape '!'
            )
            then 'of root, it has to name the account, the service and the event'
        when
            principal_kind in ('service', 'account', 'identity center user')
            and principal_name like '%!%%' escape '!'
            then 'its principal is too broad'
        when
            coalesce(principal_name, '') = ''
            or (
                principal_name like '%!%%' escape '!'
                and not {{ regexp_like('principal_name', '^[^%]{4}') }}
            )
            then 'its principal is too broad'
        when event_source <> '%' and (event_source like '%!%%' escape '!' or event_source not like '%.amazonaws.com%')
            then 'its service is none'
        when event_name <> '%' and length(replace(event_name, '%', '')) < 3 then 'its event is too broad'
        when resource <> '%' and resource like '%!%%' escape '!' and not {{ regexp_like('resource', '^[^%]{4,}%$') }}
            then 'its resource is too broad'
        when event_source = '%' and event_name = '%' and resource = '%' then 'it names no event and no resource'
        when
            coalesce(date_diff('day', try_cast(approved_on as date), try_cast(expires_on as date)), -1)
            not between 0 and 400
            or try_cast(approved_on as date) < date '2006-01-01'
            then 'its days are not plausible'
    end
{%- endmacro %}
