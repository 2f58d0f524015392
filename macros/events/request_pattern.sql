{# A regular expression for a request, in lower case, that has one of the members; some calls name a member as text. #}
{% macro request_pattern(members) -%}
    '"(' || replace(lower({{ members }}), ' ', '|') || ')"'
{%- endmacro %}
