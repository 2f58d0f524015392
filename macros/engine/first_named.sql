{# DuckDB would buffer every wide row of the day for a correlated query; searching a list needs no buffer. #}
{% macro first_named(text, listed) %}
    {{- return(adapter.dispatch('first_named')(text, listed)) -}}
{% endmacro %}

{% macro duckdb__first_named(text, listed) -%}
    list_min(list_transform(list_filter(
        (select list({'name': listed.name, 'pattern': listed.pattern}) from {{ listed }} as listed),
        lambda line : {{ text }} like line.pattern
    ), lambda line : line.name))
{%- endmacro %}

{% macro athena__first_named(text, listed) -%}
    (select min(listed.name) from {{ listed }} as listed where {{ text }} like listed.pattern)
{%- endmacro %}
