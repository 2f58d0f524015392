{# Of the names of calls, which AWS begins with a verb. #}
{% macro object_change() -%}
    {%- set verb = "regexp_extract(event_name, '^(?:Admin|Batch)?([A-Z][a-z]+)', 1)" -%}
    case
        when event_name in (
            'ImportKeyMaterial', 'PutImage', 'PutParameter', 'PutSecretValue', 'UpdateSecret',
            'UpdateSecretVersionStage'
        ) or event_name like 'UpdateFunctionCode%' then 'content'
        when {{ verb }} in (
            'Add', 'Allocate', 'Build', 'Bundle', 'Clone', 'Copy', 'Create', 'Generate', 'Import', 'Issue', 'Launch',
            'Provision', 'Purchase', 'Register', 'Replicate', 'Request', 'Restore', 'Run'
        ) then 'created'
        when {{ verb }} in (
            'Delete', 'Deprovision', 'Deregister', 'Purge', 'Release', 'Remove', 'Retire', 'Revoke', 'Terminate'
        ) or event_name in ('BidEvictedEvent', 'CancelSpotInstanceRequests', 'ScheduleKeyDeletion') then 'deleted'
        else 'changed'
    end
{%- endmacro %}
