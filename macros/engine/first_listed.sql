{# DuckDB would buffer every wide row of the day for a correlated query; searching an array needs no buffer. #}
{% macro first_listed(texts, listed) %}
    {{- return(adapter.dispatch('first_listed')(texts, listed)) -}}
{% endmacro %}

{% macro duckdb__first_listed(texts, listed) -%}
    -- otherwise DuckDB would go through the whole list for an empty array, too
    case when len({{ texts }}) > 0 then list_min(list_transform(list_filter(
        (select list({'name': listed.name, 'pattern': listed.pattern}) from {{ listed }} as listed),
        lambda line : list_bool_or(list_transform(
            {{ texts }}, lambda element : {{ like_pattern('element', 'line.pattern') }}
        ))
    ), lambda line : line.name)) end
{%- endmacro %}

{% macro athena__first_listed(texts, listed) -%}
    (
        select min(listed.name) from {{ listed }} as listed
        where any_match({{ texts }}, element -> {{ like_pattern('element', 'listed.pattern') }})
    )
{%- endmacro %}
