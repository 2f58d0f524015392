{# The run date's events that the catalogue names for a requirement. A line that applies to `listed stores` counts only
   where the event touches a store of the seed `stores`; with `every_data_event` any data event on such a store counts,
   named in the catalogue or not. #}
{% macro reviewed_events(requirement, stores=none, every_data_event=false) %}
    with events as (
        {{ events_of_day(requirement) }}
    ),

    {% if stores -%}
    named as (
        select
            events.*,
            coalesce(catalogue_title, 'Access a listed store') as title,
            coalesce(applies_to, '') = 'always' as applies_always,
            {{ store_names() }} as store_names
        from events
        where
            applies_to = 'always'
            or (
                (applies_to = 'listed stores'{% if every_data_event %} or is_data_event{% endif %})
                and event_source in (select stores.event_source from {{ stores }} as stores)
            )
    )

    select * from named
    where applies_always or {{ matches_any('named.event_source || named.store_names', store_patterns(stores)) }}
    {%- else -%}
    named as (
        select
            events.*,
            catalogue_title as title
        from events
        where applies_to = 'always'
    )

    select * from named
    {%- endif %}
{% endmacro %}
