{# The run date's delivered files: which, of what kind, how many events were read from each, what is wrong with it.
   Athena shows the files only through the rows that it read: what could not be read fails the run there. #}
{% macro log_files_read() %}
    {{- return(adapter.dispatch('log_files_read')()) -}}
{% endmacro %}

{% macro duckdb__log_files_read() %}
    select account_id, region, kind, log_file, events, problem
    from {{ source('cloudtrail', 'log_files') }}
    where run_date = {{ run_date_sql() }}
{% endmacro %}

{% macro athena__log_files_read() %}
    select
        log_account_id as account_id,
        log_region as region,
        'log' as kind,
        log_file,
        count(*) as events,
        cast(null as varchar) as problem
    from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
    group by log_account_id, log_region, log_file
{% endmacro %}
