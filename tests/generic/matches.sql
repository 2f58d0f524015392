{# Every cell of the column matches a regular expression. #}
{% test matches(model, column_name, pattern) %}
    select * from {{ model }}
    where not {{ regexp_like(column_name, pattern) }}
{% endtest %}
