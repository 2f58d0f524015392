{# Whether the response of a sign-in event says that it failed. #}
{% macro says_failure(response) -%}
    (
        (eventsource in ('signin.amazonaws.com', 'sso.amazonaws.com') or eventname = 'ConsoleLogin')
        and coalesce({{ response }}, '') like '%Failure%'
    )
{%- endmacro %}
