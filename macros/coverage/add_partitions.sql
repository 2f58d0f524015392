{% macro add_partitions() %}
    {% if execute and flags.WHICH in ('build', 'run', 'run-operation') %}
        {% do adapter.dispatch('add_partitions')() %}
    {% endif %}
{% endmacro %}

{# Checks the day's files and converts them into the lake's partition (scripts/pci_log_review/warehouse/lake.py). #}
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

{# Adds a partition with its location for every account and region in scope, a hundred per statement: Athena takes
   262,144 bytes. Existing partitions stay; create_external_tables ensures that they are in the right place. #}
{% macro athena__add_partitions() %}
    {% do create_external_tables() %}
    {% set year, month, day = run_date().split('-') %}
    {% set root = logs_root() %}
    {% set partitions = [] %}
    {% for row in run_query('select account_id, region from (' ~ scope_regions() ~ ') as scope order by 1, 2').rows %}
        {% do partitions.append(
            "partition (account_id = '" ~ row[0] ~ "', region = '" ~ row[1] ~ "', year = '" ~ year ~ "', month = '"
            ~ month ~ "', day = '" ~ day ~ "') location '"
            ~ root ~ [row[0], 'CloudTrail', row[1], year, month, day] | join('/') ~ "/'"
        ) %}
    {% endfor %}
    {% for some in partitions | batch(100) %}
        {% do run_query(
            'alter table ' ~ source('cloudtrail', 'logs').render_hive() ~ ' add if not exists ' ~ some | join(' ')
        ) %}
    {% endfor %}
    {% do run_query(
        'alter table ' ~ source('cloudtrail', 'inventory').render_hive() ~ " add if not exists partition (run_date = '"
        ~ run_date() ~ "') location '" ~ inventory_root() ~ 'run_date=' ~ run_date() ~ "/'"
    ) %}
{% endmacro %}
