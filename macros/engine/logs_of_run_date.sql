{# Embedded, all rows: the lake holds only what was in scope, and the view shows every day that was reviewed. #}
{% macro logs_of_run_date() %}
    {{- return(adapter.dispatch('logs_of_run_date')()) -}}
{% endmacro %}

{% macro duckdb__logs_of_run_date() -%}
    true
{%- endmacro %}

{% macro athena__logs_of_run_date() -%}
    year = '{{ run_date()[:4] }}' and month = '{{ run_date()[5:7] }}' and day = '{{ run_date()[8:] }}'
    and (account_id, region) in (select scope.account_id, scope.region from ({{ scope_regions() }}) as scope)
    {%- if var('unreadable_log_files') %}
    {%- set root = var('logs').rstrip('/') %}
    -- Athena can't pass over a damaged file; the wrapper has found these, and log_files names them
    and "$path" not in (
        {%- for file in var('unreadable_log_files') %}
        '{{ (root ~ '/' ~ file) | replace("'", "''") }}'{{ ',' if not loop.last }}
        {%- endfor %}
    )
    {%- endif %}
{%- endmacro %}
