{{ config(materialized='view', contract={'enforced': false}) }}

with final as (
    {% for line in requirements() %}
        select
            {% for column in ['requirement', 'model', 'pci_dss_v4_0_1', 'pci_dss_v3_2_1', 'asks'] %}
                '{{ line[column] | replace("'", "''") }}' as {{ column }}{{ ',' if not loop.last }}
            {% endfor %}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
