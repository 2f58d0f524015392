{# No cell of the column is empty: an empty pattern is nobody's intention. #}
{% test not_blank(model, column_name) %}
    select * from {{ model }}
    where {{ column_name }} is null or trim({{ column_name }}) = ''
{% endtest %}
