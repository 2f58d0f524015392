{% macro create_external_table(source, relation, location) %}
    {% set table = source.config.meta.athena_table %}
    create external table if not exists {{ relation.render_hive() }} (
        {%- for column in source.columns.values() if column.data_type and column.name not in table.partitioned_by %}
        `{{ column.name }}` {{ column.data_type }}{{ ',' if not loop.last }}
        {%- endfor %}
    )
    partitioned by ({% for name in table.partitioned_by %}`{{ name }}` string{{ ', ' if not loop.last }}{% endfor %})
    row format serde '{{ table.serde }}'
    stored as inputformat '{{ table.input_format }}' outputformat '{{ table.output_format }}'
    location '{{ location }}'
{% endmacro %}
