{% macro finding_key() %}
    {{ return([
        'aws_account_id', 'event_id', 'event_time', 'event_source', 'event_name', 'error_code', 'request_parameters',
        'response_elements'
    ]) }}
{% endmacro %}
