{# The wrapper's inventory of the run date. #}
{% macro inventory_of_day() %}
    {{- return(adapter.dispatch('inventory_of_day')()) -}}
{% endmacro %}

{% macro duckdb__inventory_of_day() %}
    select log_file, account_id, region, kind, size, etag, sha256, records, is_proven, problem, integrity_fault
    from {{ source('cloudtrail', 'inventory') }}
    where run_date = {{ run_date_sql() }}
{% endmacro %}

{# partition columns are text #}
{% macro athena__inventory_of_day() %}
    select log_file, account_id, region, kind, size, etag, sha256, records, is_proven, problem, integrity_fault
    from {{ source('cloudtrail', 'inventory') }}
    where run_date = '{{ run_date() }}'
{% endmacro %}
