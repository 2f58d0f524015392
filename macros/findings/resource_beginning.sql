{# It is made once for each line of expected_activity, not once for each resource that is held against it. #}
{% macro resource_beginning(name) -%}
    case
        when {{ name }} like '%!%' escape '!' then replace(replace({{ name }}, '%', ''), ':', '/')
        else replace({{ name }}, ':', '/') || '/'
    end
{%- endmacro %}
