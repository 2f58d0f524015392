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

{# Adds the partitions of every account and region in scope with their locations, a hundred per statement: Athena takes
   262,144 bytes. Existing partitions stay; create_external_tables ensures that they are in the right place. Network
   activity gets one only where the inventory lists some, or where there is none, since dbt runs alone. #}
{% macro athena__add_partitions() %}
    {% do create_external_tables() %}
    {% do run_query(
        'alter table ' ~ source('cloudtrail', 'inventory').render_hive() ~ " add if not exists partition (run_date = '"
        ~ run_date() ~ "') location '" ~ inventory_root() ~ 'run_date=' ~ run_date() ~ "/'"
    ) %}
    {% set folders %}
        with scope as (
            {{ scope_regions() }}
        ),

        inventory as (
            select account_id, region, kind from {{ source('cloudtrail', 'inventory') }}
            where run_date = '{{ run_date() }}'
        )

        select account_id, 'CloudTrail' as folder, region from scope
        union all
        select account_id, 'CloudTrail-NetworkActivity' as folder, region from scope
        where
            (account_id, region) in (
                select listed.account_id, listed.region from inventory as listed where listed.kind = 'network-activity'
            )
            or (select count(*) from inventory) = 0
        order by 1, 2, 3
    {% endset %}
    {% set year, month, day = run_date().split('-') %}
    {% set partitions = [] %}
    {# once, outside the loop: dbt compiles the template of a variable each time that it is asked #}
    {% set root = logs_root() %}
    {% for account_id, folder, region in run_query(folders).rows %}
        {% do partitions.append(
            "partition (account_id = '" ~ account_id ~ "', folder = '" ~ folder ~ "', region = '" ~ region
            ~ "', year = '" ~ year ~ "', month = '" ~ month ~ "', day = '" ~ day ~ "') location '"
            ~ root ~ [account_id, folder, region, year, month, day] | join('/') ~ "/'"
        ) %}
    {% endfor %}
    {% for some in partitions | batch(100) %}
        {% do run_query(
            'alter table ' ~ source('cloudtrail', 'logs').render_hive() ~ ' add if not exists ' ~ some | join(' ')
        ) %}
    {% endfor %}
{% endmacro %}
