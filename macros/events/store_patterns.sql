{# For each store of a settings seed, the pattern that an event's service followed by its store_names matches. #}
{% macro store_patterns(stores) -%}
    select
        event_source || '%' || chr(10) || replace(replace(name, '/', chr(10)), ':', chr(10)) || chr(10) || '%' as pattern
    from {{ stores }}
{%- endmacro %}
