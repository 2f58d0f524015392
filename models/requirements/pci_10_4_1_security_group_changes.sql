{{ config(tags=['10.4.1'], meta={'pci_dss_v4_0_1': '10.4.1', 'pci_dss_v3_2_1': '10.6'}) }}

-- PCI DSS 10.4.1, daily review of what performs security functions: changes to security groups, done or only tried.
with events as (
    {{ events_with_catalogue('10.4.1-security-groups') }}
),

security_group_changes as (
    select
        events.*,
        catalogue_title as title,
        nullif(concat_ws(', ', catalogue_flag, case
            when
                -- inbound, or a changed rule, whose record does not tell the direction
                (
                    event_name like '%Ingress%'
                    or event_name in ('ModifySecurityGroupRules', 'OpenInstancePublicPorts', 'PutInstancePublicPorts')
                )
                and event_name not like 'Revoke%'
                and event_name not like '%Descriptions%'
                then {{ opens_to_world() }}
        end), '') as flags
    from events
    where
        -- the catalogue names it, or by its pattern %SecurityGroup% any call of any service
        is_in_catalogue
        -- calls that only read have that in their names, too
        and not {{ is_read() }}
        -- there it is another thing: a list of addresses for streams (10.4.1-network), and a group of people (10.2.1.5)
        and event_source not in ('medialive.amazonaws.com', 'wickr.amazonaws.com')
),

final as (
    {{ finding_rows('10.4.1-security-groups', 'security_group_changes') }}
)

select * from final
