{# DuckDB would buffer every wide row of the day for an `exists`; searching a list needs no buffer. #}
{% macro matches_any(text, patterns) %}
    {{- return(adapter.dispatch('matches_any')(text, patterns)) -}}
{% endmacro %}

{% macro duckdb__matches_any(text, patterns) -%}
    coalesce(list_bool_or(list_transform(
        (
            select list({'pattern': listed.pattern, 'wildcards': {{ inner_wildcards('listed.pattern') }}})
            from ({{ patterns }}) as listed
        ),
        lambda line : {{ like_pattern(text, 'line.pattern', 'line.wildcards') }}
    )), false)
{%- endmacro %}

{% macro athena__matches_any(text, patterns) -%}
    exists (select 1 from ({{ patterns }}) as listed where {{ like_pattern(text, 'listed.pattern') }})
{%- endmacro %}
