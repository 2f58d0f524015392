{# A text of a log record, NULL where the writer left it empty or wrote the word null. #}
{% macro known(text) -%}
    case when {{ text }} not in ('', 'null') then {{ text }} end
{%- endmacro %}
