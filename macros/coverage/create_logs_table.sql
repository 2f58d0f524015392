{# Creates the external table over the log files from the source's own YAML, if it is not there. Also callable by hand:
   dbt run-operation create_logs_table --target athena #}
{% macro create_logs_table() %}
    {% set found = namespace(source=none) %}
    {% for node in graph.sources.values() if node.source_name == 'cloudtrail' and node.name == 'logs' %}
        {% set found.source = node %}
    {% endfor %}
    {% set table = found.source.config.meta.athena_table %}
    {% set partitions = table.partitioned_by %}
    {% set columns = [] %}
    {% for column in found.source.columns.values() if column.data_type and column.name not in partitions %}
        {% do columns.append('`' ~ column.name ~ '` ' ~ column.data_type) %}
    {% endfor %}
    {% set relation = api.Relation.create(
        database=found.source.database, schema=found.source.schema, identifier=found.source.identifier
    ) %}
    {% set create_table %}
        create external table if not exists {{ relation.render_hive() }} (
            {{ columns | join(',\n            ') }}
        )
        partitioned by ({% for name in partitions %}`{{ name }}` string{{ ', ' if not loop.last }}{% endfor %})
        row format serde '{{ table.serde }}'
        stored as inputformat '{{ table.input_format }}' outputformat '{{ table.output_format }}'
        location '{{ var("logs").rstrip("/") }}/AWSLogs/'
    {% endset %}
    {% do run_query(create_table) %}
{% endmacro %}
