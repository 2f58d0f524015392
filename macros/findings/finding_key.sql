{# The columns that tell two events of a requirement apart: where all are equal, it is one event, delivered twice. #}
{% macro finding_key() %}
    {{ return([
        'aws_account_id', 'event_id', 'event_time', 'event_source', 'event_name', 'error_code', 'request_parameters',
        'response_elements'
    ]) }}
{% endmacro %}
