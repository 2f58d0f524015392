{# Creates the external tables of the source from its own YAML, if they are not there. The pre-hook calls it; by hand:
   dbt run-operation create_external_tables --target athena #}
{% macro create_external_tables() %}
    {% set locations = {'logs': logs_root(), 'inventory': inventory_root()} %}
    {% for source in graph.sources.values() if source.name in locations %}
        {% do run_query(create_external_table(source, locations[source.name])) %}
    {% endfor %}
{% endmacro %}
