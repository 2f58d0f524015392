{# Of the names of calls, which AWS begins with a verb. #}
{% macro object_change() -%}
    {%- set verb = "regexp_extract(event_name, '^(?:Admin|Batch)?([A-Z][a-z]+)', 1)" -%}
    case
        when event_name in (
            'PutParameter', 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage', 'LabelParameterVersion',
            'PutImage', 'ImportKeyMaterial', 'PublishLayerVersion', 'ReplicateSecretToRegions'
        ) or event_name like 'UpdateFunctionCode%' then 'content'
        when {{ verb }} in (
            'Create', 'Run', 'Launch', 'Import', 'Register', 'Allocate', 'Restore', 'Copy', 'Clone', 'Request', 'Purchase',
            'Provision', 'Issue', 'Generate', 'Accept', 'Activate', 'Add', 'Replicate', 'Clone', 'Bundle', 'Build'
        ) then 'created'
        when {{ verb }} in (
            'Delete', 'Terminate', 'Deregister', 'Release', 'Remove', 'Destroy', 'Purge', 'Deprovision', 'Revoke', 'Retire'
        ) or event_name in ('ScheduleKeyDeletion', 'CancelSpotInstanceRequests', 'BidEvictedEvent') then 'deleted'
        else 'changed'
    end
{%- endmacro %}
