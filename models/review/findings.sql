{{ config(materialized='view', tags=['same_each_day']) }}

with final as (
    {% for requirement in requirements() %}
        select {{ model.columns.keys() | join(', ') or '*' }} from {{ ref(requirement.model) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
)

select * from final
