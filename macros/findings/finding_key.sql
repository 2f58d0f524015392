{# Everything that a finding says of its event, but for the file. #}
{% macro finding_key() %}
    {{ return([
        'event_id', 'event_time', 'aws_account_id', 'aws_region', 'event_source', 'event_name', 'event_type',
        'actor_type', 'actor_arn', 'actor_name', 'actor_account_id', 'actor_is_service', 'principal_kind',
        'principal_account_id', 'principal_name', 'access_key_id', 'source_ip', 'user_agent', 'outcome', 'error_code',
        'error_message', 'resource', 'store', 'flags', 'is_read_only', 'mfa_authenticated', 'request_parameters',
        'response_elements', 'shared_event_id'
    ]) }}
{% endmacro %}
