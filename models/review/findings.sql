{{ config(materialized='view') }}

{% set requirements = [
    ref('pci_10_2_1_1_cardholder_data_access'),
    ref('pci_10_2_1_2_administrative_actions'),
    ref('pci_10_2_1_3_audit_log_access'),
    ref('pci_10_2_1_4_invalid_access_attempts'),
    ref('pci_10_2_1_5_credential_changes'),
    ref('pci_10_2_1_6_audit_log_changes'),
    ref('pci_10_2_1_7_system_object_changes'),
    ref('pci_10_2_2_incomplete_records'),
    ref('pci_10_4_1_security_group_changes'),
    ref('pci_10_4_1_network_changes')
] %}

with final as (
    {% for requirement in requirements %}
        select {{ finding_columns() | join(', ') }} from {{ requirement }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
