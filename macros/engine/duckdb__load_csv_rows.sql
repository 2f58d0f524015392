{# dbt-duckdb's own macro, which this overrides, takes the path of a seed as it is: an apostrophe would end the text,
   and a bracket or an asterisk make it a pattern for other files. #}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {% set path = adapter.get_seed_file_path(model) | string | replace("'", "''") | replace('[', '[[]')
        | replace('*', '[*]') | replace('?', '[?]') %}
    {% set copy %}
        copy {{ this.render() }} from '{{ path }}' (format csv, header true)
    {% endset %}
    {% do adapter.add_query(copy, abridge_sql_log=true) %}
    {{ return(copy) }}
{% endmacro %}
