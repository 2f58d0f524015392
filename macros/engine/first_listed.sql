{# The name of the first line, by name, of a relation of `name` and LIKE `pattern` that one of an array's texts matches;
   NULL where none does. DuckDB would keep every wide row of the day aside for a correlated query; an array it only
   looks at. #}
{% macro first_listed(texts, listed) %}
    {{- return(adapter.dispatch('first_listed')(texts, listed)) -}}
{% endmacro %}

{% macro duckdb__first_listed(texts, listed) -%}
    -- DuckDB would look at the whole list for an empty array, too
    case when len({{ texts }}) > 0 then list_min(list_transform(list_filter(
        (select list({'name': listed.name, 'pattern': listed.pattern}) from {{ listed }} as listed),
        lambda line : list_bool_or(list_transform({{ texts }}, lambda element : element like line.pattern))
    ), lambda line : line.name)) end
{%- endmacro %}

{% macro athena__first_listed(texts, listed) -%}
    (
        select min(listed.name) from {{ listed }} as listed
        where any_match({{ texts }}, element -> element like listed.pattern)
    )
{%- endmacro %}
