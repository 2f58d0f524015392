{# Whether an event's name is not that of a read. The name decides, not readOnly: it is in every record. #}
{% macro is_no_read() -%}
    event_name not like 'Describe%' and event_name not like 'Get%' and event_name not like 'List%'
{%- endmacro %}
