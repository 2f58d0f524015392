{# Both seeds of the catalogue: what counts by its name, and what counts by what its request has. #}
{% macro catalogue_lines() %}
    select
        requirement,
        event_source,
        event_name,
        applies_to,
        cast(null as varchar) as request_pattern,
        flag,
        title
    from {{ ref('reviewed_events') }}
    union all
    select
        requirement,
        event_source,
        event_name,
        'its request' as applies_to,
        {{ request_pattern('request_members') }} as request_pattern,
        flag,
        title
    from {{ ref('reviewed_changes') }}
{% endmacro %}
