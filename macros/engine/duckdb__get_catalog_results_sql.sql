{# dbt-duckdb's own macro, which this overrides, does not count rows. Those of a view would have to be worked out. #}
{% macro duckdb__get_catalog_results_sql() %}
    {% set names = run_query(
        "select table_name from duckdb_tables() where schema_name = '" ~ target.schema ~ "'"
    ).columns[0].values() %}
    select
        tables.table_database,
        tables.table_schema,
        tables.table_name,
        tables.table_type,
        tables.table_comment,
        columns.column_name,
        columns.column_index,
        columns.column_type,
        columns.column_comment,
        null as table_owner,
        'Rows' as "stats:row_count:label",
        counted.row_count as "stats:row_count:value",
        'How many rows it holds, of all days' as "stats:row_count:description",
        counted.row_count is not null as "stats:row_count:include"
    from tables
    inner join columns using (table_database, table_schema, table_name)
    left join (
        {% for name in names %}
        select
            '{{ name }}' as table_name,
            (select count(*) from {{ api.Relation.create(target.database, target.schema, name) }}) as row_count
        union all
        {% endfor %}
        select null, null
    ) as counted on tables.table_name = counted.table_name
    order by table_schema, table_name, column_index
{% endmacro %}
