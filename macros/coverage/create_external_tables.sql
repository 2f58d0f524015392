{# The pre-hook calls this; by hand:
   dbt run-operation create_external_tables --target athena

   A table at another location is dropped first: its partitions would keep their locations, so a run over a new bucket,
   or with an organization's id, would read the old folders. So is one that an earlier version made, with other columns.
   It is external: no file is removed. #}
{% macro create_external_tables() %}
    {% set locations = {'logs': logs_root(), 'inventory': inventory_root()} %}
    {% for source in graph.sources.values() if source.name in locations %}
        {% set relation = api.Relation.create(
            database=source.database, schema=source.schema, identifier=source.identifier
        ) %}
        {% set location = locations[source.name] %}
        {% set place = adapter.get_glue_table_location(relation) %}
        {% if place and (place.rstrip('/') != location.rstrip('/') or other_columns(source, relation)) %}
            {% do log(source.identifier ~ ' at ' ~ place ~ ' is made anew, for ' ~ location, info=true) %}
            {% do adapter.delete_from_glue_catalog(relation) %}
        {% endif %}
        {% do run_query(create_external_table(source, relation, location)) %}
    {% endfor %}
{% endmacro %}
