{{ config(tags=['10.4.1'], meta={'pci_dss_v4_0_1': '10.4.1', 'pci_dss_v3_2_1': '10.6'}) }}

-- PCI DSS 10.4.1, daily review of what performs security functions: changes to the network, done or only tried.
with events as (
    {{ events_with_catalogue('10.4.1-network') }}
),

network_changes as (
    select
        events.*,
        catalogue_title as title,
        nullif(concat_ws(', ', catalogue_flag, case
            -- an inbound rule of a network's access list that allows
            when
                event_name in ('CreateNetworkAclEntry', 'ReplaceNetworkAclEntry')
                and not {{ regexp_like('lower(request_parameters)', '"egress" *: *"?true|"ruleaction" *: *"deny"') }}
                then {{ opens_to_world() }}
            -- a list of networks that rules let in
            when
                event_name in ('CreateManagedPrefixList', 'ModifyManagedPrefixList')
                and {{ opens_to_world() }} = 'opens to the world'
                then 'opens to the world'
        end), '') as flags
    from events
    where
        -- the catalogue names it as a change to the network, or by its pattern %Subnet% for the calls of every service
        is_in_catalogue
        -- calls that only read have that in their names, too
        and not {{ is_read() }}
),

final as (
    {{ finding_rows('10.4.1-network', 'network_changes') }}
)

select * from final
