{# Names of columns in the order in which a table can have them: on Athena a partition column comes last. #}
{% macro column_order(columns) %}
    {{ return(adapter.dispatch('column_order')(columns)) }}
{% endmacro %}

{% macro duckdb__column_order(columns) %}
    {{ return(columns) }}
{% endmacro %}

{% macro athena__column_order(columns) %}
    {{ return((columns | reject('equalto', 'run_date') | list) + ['run_date']) }}
{% endmacro %}
