{# The columns that every requirement model has, in their order. #}
{% macro finding_columns() %}
    {{ return([
        'run_date', 'requirement', 'event_id', 'event_time', 'aws_account_id', 'aws_region', 'event_source', 'event_name',
        'event_type', 'actor_type', 'actor_arn', 'actor_name', 'actor_account_id', 'actor_is_service', 'access_key_id',
        'source_ip', 'user_agent', 'outcome', 'error_code', 'error_message', 'resource', 'title', 'detail',
        'is_expected', 'expected_reason', 'is_read_only', 'mfa_authenticated', 'request_parameters',
        'response_elements', 'shared_event_id', 'log_file'
    ]) }}
{% endmacro %}
