{% macro article_query(requirement) %}
    select events.*
    from {{ ref('stg_cloudtrail__events') }} as events
    where
        events.run_date = {{ run_date_sql() }}
        and ({{ article_queries()[requirement].filter }})
{% endmacro %}
