{# A failed sign-in has no error code; its response says Failure. One that says neither Failure nor Success counts as
   failed, so that somebody looks at it. Refusals are the error codes of refusal_error_codes. #}
{% macro outcome() -%}
    {%- set refusals = 'select error_code as pattern from ' ~ ref('refusal_error_codes') -%}
    case
        when {{ known('errorcode') }} is not null
            then case when {{ matches_any('logs.errorcode', refusals) }} then 'denied' else 'failure' end
        when
            (eventsource in ('signin.amazonaws.com', 'sso.amazonaws.com') or eventname = 'ConsoleLogin')
            and (coalesce(responseelements, '') like '%Failure%' or coalesce(serviceeventdetails, '') like '%Failure%')
            then 'failure'
        when eventname = 'ConsoleLogin' and coalesce(responseelements, '') not like '%Success%' then 'failure'
        else 'success'
    end
{%- endmacro %}
