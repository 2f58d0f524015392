{# Whether a record does not say how the call ended: a sign-in to the console has to say so in its response. #}
{% macro lacks_outcome() -%}
    coalesce(event_name, '') = 'ConsoleLogin' and error_code is null
    and coalesce(response_elements, '') not like '%Success%'
    and coalesce(response_elements, '') not like '%Failure%'
{%- endmacro %}
