{# DuckDB would buffer every wide row of the day for a correlated query; searching a list needs no buffer. #}
{% macro all_named(text, listed) %}
    {{- return(adapter.dispatch('all_named')(text, listed)) -}}
{% endmacro %}

{% macro duckdb__all_named(text, listed) -%}
    nullif(array_to_string(list_sort(list_distinct(list_transform(list_filter(
        (select list({'name': listed.name, 'pattern': listed.pattern}) from {{ listed }} as listed),
        lambda line : {{ text }} like line.pattern
    ), lambda line : line.name))), ', '), '')
{%- endmacro %}

{% macro athena__all_named(text, listed) -%}
    (
        select array_join(array_sort(array_agg(distinct listed.name)), ', ') from {{ listed }} as listed
        where {{ text }} like listed.pattern
    )
{%- endmacro %}
