{# Stands for columns by which rows are grouped, so that DuckDB has room for those of all findings, however long. #}
{% macro fingerprint(columns) %}
    {{- return(adapter.dispatch('fingerprint')(columns)) -}}
{% endmacro %}

{% macro duckdb__fingerprint(columns) -%}
    md5(cast(to_json([
        {%- for column in columns %}cast({{ column }} as varchar){{ ', ' if not loop.last }}{% endfor -%}
    ]) as varchar))
{%- endmacro %}

{% macro athena__fingerprint(columns) -%}
    {{ columns | join(', ') }}
{%- endmacro %}
