{{ config(tags=['10.2.1.4'], meta={'pci_dss_v4_0_1': '10.2.1.4', 'pci_dss_v3_2_1': '10.2.4'}) }}

-- PCI DSS 10.2.1.4: invalid access attempts, that is calls that were refused and sign-ins that failed.
with events as (
    {{ events_with_catalogue('10.2.1.4') }}
),

invalid_access_attempts as (
    select
        events.*,
        coalesce(catalogue_title, 'Call refused') as title,
        nullif(concat_ws(
            ', ',
            case when outcome = 'denied' then 'refused' end,
            catalogue_flag,
            case when outcome = 'success' then 'without MFA' end
        ), '') as flags
    from events
    where
        -- of any service: its error code is one of the seed refusal_error_codes, such as AccessDenied
        outcome = 'denied'
        -- a sign-in that failed has no error code that says refused; the catalogue names all sign-ins
        or (outcome = 'failure' and is_in_catalogue)
        -- a person's password alone let them in, and nobody can tell who had it; a federated user's identity provider
        -- asks for more, which CloudTrail can't know
        or (
            outcome = 'success' and event_name = 'ConsoleLogin' and principal_kind in ('root', 'user')
            and not coalesce(mfa_authenticated, false)
        )
),

final as (
    {{ finding_rows('10.2.1.4', 'invalid_access_attempts') }}
)

select * from final
