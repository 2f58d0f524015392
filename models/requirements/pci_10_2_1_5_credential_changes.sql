{{ config(tags=['10.2.1.5'], meta={'pci_dss_v4_0_1': '10.2.1.5', 'pci_dss_v3_2_1': '10.2.5.b, 10.2.5.c'}) }}

-- PCI DSS 10.2.1.5: changes to identities, credentials and privileges, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.5') }}
),

credential_changes as (
    select
        events.*,
        coalesce(catalogue_title, 'Take an administrator''s role') as title,
        nullif(concat_ws(
            ', ',
            -- `elevation`, where the catalogue says that the call gives somebody a privilege
            catalogue_flag,
            -- its request names a group or policy that the settings list as giving administrative access
            case when administrative_grant is not null then 'administrative grant' end,
            case when takes_administrator_role then 'administrator role' end
        ), '') as flags
    from events
    -- the catalogue names it as creating, changing or deleting an account, a credential or a privilege
    -- or somebody takes a role that the settings list as an administrator's: an elevation of privileges
    where is_in_catalogue or takes_administrator_role
),

final as (
    {{ finding_rows('10.2.1.5', 'credential_changes') }}
)

select * from final
