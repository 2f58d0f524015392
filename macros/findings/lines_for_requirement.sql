{# A line with several networks is a row for each. A narrow line may mark as much as there is; all others are broad. #}
{% macro lines_for_requirement(requirement) %}
    select
        {{ expected_line_id() }} as line_id,
        lines.principal_kind,
        lines.principal_account,
        lines.principal_name,
        networks.network,
        lines.event_source,
        lines.event_name,
        lines.resource,
        lines.reason,
        try_cast(lines.approved_on as date) as approved_on,
        try_cast(lines.expires_on as date) as expires_on,
        not {{ expected_line_is_narrow() }} as is_broad
    from {{ ref('expected_activity') }} as lines
    cross join unnest(split(coalesce(lines.source_networks, ''), ' ')) as networks (network)
    where '{{ requirement }}' like lines.requirement and {{ expected_line_fault() }} is null
{% endmacro %}
