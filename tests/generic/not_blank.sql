{# No cell of the column is empty or has blanks around it: such a pattern matches nothing, and is nobody's intention. #}
{% test not_blank(model, column_name) %}
    select * from {{ model }}
    where {{ column_name }} is null or {{ column_name }} = '' or {{ column_name }} <> trim({{ column_name }})
{% endtest %}
