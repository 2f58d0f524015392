{# The ARNs of an event's `resources`, one a line. CloudTrail writes the keys ARN and ARNPrefix in capitals. #}
{% macro resource_arns(resources) %}
    {{- return(adapter.dispatch('resource_arns')(resources)) -}}
{% endmacro %}

{% macro duckdb__resource_arns(resources) -%}
    case
        when not json_valid({{ resources }}) then nullif({{ resources }}, '')
        when {{ resources }} not like '[%' then {{ resources }} ->> 'ARN'
        -- nearly all are so, and it is read in one go
        when {{ resources }} not like '%"ARNPrefix"%' and {{ resources }} not like '%"arn"%'
            then nullif(array_to_string(json_extract_string({{ resources }}, '$[*].ARN'), chr(10)), '')
        else nullif(array_to_string(list_transform(
            json_extract({{ resources }}, '$[*]'),
            lambda found : coalesce(found ->> 'ARN', found ->> 'ARNPrefix', found ->> 'arn')
        ), chr(10)), '')
    end
{%- endmacro %}

{% macro athena__resource_arns(resources) -%}
    nullif(array_join(transform({{ resources }}, found -> coalesce(found.arn, found.arnprefix)), chr(10)), '')
{%- endmacro %}
