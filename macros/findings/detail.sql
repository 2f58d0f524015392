{# One readable sentence: who did what to what, from where, and how it ended. #}
{% macro detail() -%}
    coalesce(actor_name, 'Somebody unknown')
    || case when actor_is_service then ' (an AWS service)' when actor_type is null then '' else ' (' || actor_type || ')' end
    || case outcome when 'success' then ' called ' else ' tried ' end
    || coalesce(event_name, 'something unnamed')
    || coalesce(' of ' || replace(event_source, '.amazonaws.com', ''), '')
    || coalesce(' on ' || resource, '')
    || ' in account ' || aws_account_id || ', ' || aws_region
    || coalesce(', from ' || source_ip, '')
    || case
        when outcome = 'success' then ', and it was done'
        when outcome = 'denied' then ', and it was denied'
        else ', and it failed'
    end
    || coalesce(' (' || error_code || ')', '')
    || case when mfa_authenticated then ', with MFA' when not mfa_authenticated then ', without MFA' else '' end
    || '.'
{%- endmacro %}
