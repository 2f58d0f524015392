{# Whether the table lacks a column of the source's YAML, or has it with another type. #}
{% macro other_columns(source, relation) %}
    {% set types = {} %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do types.update({column.column: column.dtype | replace(' ', '')}) %}
    {% endfor %}
    {% set found = namespace(other=false) %}
    {% for column in source.columns.values() if column.data_type %}
        {% if types.get(column.name) != column.data_type | replace(' ', '') %}
            {% set found.other = true %}
        {% endif %}
    {% endfor %}
    {{ return(found.other) }}
{% endmacro %}
