{# Every cell of the column matches a regular expression. #}
{% test matches(model, column_name, pattern) %}
    select * from {{ model }}
    where not coalesce({{ regexp_like(column_name, pattern) }}, false)
{% endtest %}
