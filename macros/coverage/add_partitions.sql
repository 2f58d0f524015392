{# The pre-hook that makes the run date's logs queryable, on either engine. #}
{% macro add_partitions() %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {% do adapter.dispatch('add_partitions')() %}
    {% endif %}
{% endmacro %}

{# Checks the day's files and converts them into the lake's Parquet partition (scripts/pci_log_review/lake.py). #}
{% macro duckdb__add_partitions() %}
    {% set convert_day %}
        select pci_convert_day(
            '{{ var("logs") | replace("'", "''") }}',
            '{{ run_date() }}',
            (select string_agg(account_id || '/' || region, ' ') from ({{ scope_regions() }}) as scope)
        )
    {% endset %}
    {% do run_query(convert_day) %}
{% endmacro %}

{# Adds a partition with its location for every account and region in scope, some 100 to a statement. #}
{% macro athena__add_partitions() %}
    {% do create_logs_table() %}
    {% set table = source('cloudtrail', 'logs') %}
    {% set root = var('logs').rstrip('/') ~ '/AWSLogs/' %}
    {% if var('organization_id', none) %}{% set root = root ~ var('organization_id') ~ '/' %}{% endif %}
    {% set year, month, day = run_date().split('-') %}
    {% set partitions = [] %}
    {% for row in run_query('select account_id, region from (' ~ scope_regions() ~ ') as scope order by 1, 2').rows %}
        {% do partitions.append(
            "partition (account_id = '" ~ row[0] ~ "', region = '" ~ row[1] ~ "', year = '" ~ year ~ "', month = '" ~ month
            ~ "', day = '" ~ day ~ "') location '" ~ root ~ row[0] ~ '/CloudTrail/' ~ row[1] ~ '/' ~ year ~ '/' ~ month ~ '/' ~ day ~ "/'"
        ) %}
    {% endfor %}
    {% for some in partitions | batch(100) %}
        {% do run_query('alter table ' ~ table.render_hive() ~ ' add if not exists ' ~ some | join(' ')) %}
    {% endfor %}
{% endmacro %}
