{# `%` stands for anything; `_`, which names have, stands for itself. #}
{% macro named_by(name, pattern) -%}
    {{ name }} like replace({{ pattern }}, '_', '!_') escape '!'
{%- endmacro %}
