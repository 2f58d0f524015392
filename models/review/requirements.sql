{{ config(materialized='view', contract={'enforced': false}, tags=['same_each_day']) }}

{% set lines = requirements() %}

with final as (
    {% for line in lines %}
        select
            '{{ line.requirement }}' as requirement,
            '{{ line.model }}' as model,
            '{{ line.pci_dss_v4_0_1 }}' as pci_dss_v4_0_1,
            '{{ line.pci_dss_v3_2_1 }}' as pci_dss_v3_2_1,
            '{{ line.asks | replace("'", "''") }}' as asks,
            {{ "'" ~ line.settings ~ "'" if line.settings else 'cast(null as varchar)' }} as settings_file
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
