{# The groups and policies of administrative_grants, each with the pattern that an element of names_granted()
   matches. #}
{% macro listed_grants() -%}
    select
        name,
        '%/' || name || '/%' as pattern
    from {{ ref('administrative_grants') }}
{%- endmacro %}
