{% macro needed_settings() %}
    {{ return(requirements() | selectattr('settings', 'defined') | map(attribute='settings') | unique | list) }}
{% endmacro %}
