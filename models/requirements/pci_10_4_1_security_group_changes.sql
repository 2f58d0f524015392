-- an event that AWS adds tomorrow is reviewed before the catalogue knows it
with events as (
    {{ events_of_day('10.4.1-security-groups', own_rule="event_name like '%SecurityGroup%' and " ~ is_no_read()) }}
),

security_group_changes as (
    select
        events.*,
        coalesce(catalogue_title, 'Change a security group') as title,
        coalesce(
            -- a changed rule counts whichever its direction, which its record does not tell
            (event_name like '%Ingress%' or event_name = 'ModifySecurityGroupRules')
            and {{ regexp_like('request_parameters', '"(0\\.0\\.0\\.0|::)\\\\?/0"') }}
            and event_name not like 'Revoke%'
            and event_name not like '%Descriptions%',
            false
        ) as opens_to_world
    from events
    where is_reviewed
),

final as (
    {{ findings('10.4.1-security-groups', 'security_group_changes', flags=['opens_to_world']) }}
)

select * from final
