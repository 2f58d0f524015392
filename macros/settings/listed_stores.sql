{# The stores of a settings seed, each with the pattern that an element of names_touched() matches. #}
{% macro listed_stores(seed) -%}
    select
        name,
        event_source || '%/' || replace(name, ':', '/') || '/%' as pattern
    from {{ ref(seed) }}
{%- endmacro %}
