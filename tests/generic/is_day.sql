{# Every cell of the column is a day. #}
{% test is_day(model, column_name) %}
    select * from {{ model }}
    where try_cast({{ column_name }} as date) is null
{% endtest %}
