{{ config(tags=['10.2.1.2'], meta={'pci_dss_v4_0_1': '10.2.1.2', 'pci_dss_v3_2_1': '10.2.2'}) }}

-- PCI DSS 10.2.1.2: every action taken with administrative access, whatever it is, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.2') }}
),

administrative_actions as (
    select
        events.*,
        coalesce(catalogue_title, case
            when is_root and actor_is_service then 'AWS service acted as root'
            when is_root then 'Root user acted'
            when is_session_of_root then 'Session issued by root acted'
            else 'Administrator acted'
        end) as title,
        nullif(concat_ws(
            ', ',
            case when is_root then 'root' end,
            case when is_session_of_root then 'session of root' end,
            case when is_administrator then 'administrator' end,
            catalogue_flag
        ), '') as flags
    from events
    where
        is_root
        or is_session_of_root
        -- a principal, or a role in use, that the settings list as administrator
        or is_administrator
        -- the catalogue names it as what only an administrator may do, whoever did it
        or is_in_catalogue
),

final as (
    {{ finding_rows('10.2.1.2', 'administrative_actions') }}
)

select * from final
