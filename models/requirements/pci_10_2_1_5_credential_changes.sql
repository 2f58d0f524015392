with reviewed as (
    {{ reviewed_events('10.2.1.5') }}
),

names as (
    select
        reviewed.*,
        chr(10) || replace(coalesce({{ json_texts('request_parameters', [
            'groupName', 'policyName', 'policyArn', 'managedPolicyArn', 'permissionSetArn', 'roleName', 'group'
        ]) }}, ''), '/', chr(10)) || chr(10) as granted_names
    from reviewed
),

flagged as (
    select
        names.*,
        -- what gives somebody a privilege that he did not have
        event_name in (
            'AddUserToGroup', 'AddRoleToInstanceProfile', 'AttachGroupPolicy', 'AttachRolePolicy', 'AttachUserPolicy',
            'PutGroupPolicy', 'PutRolePolicy', 'PutUserPolicy', 'CreatePolicyVersion', 'SetDefaultPolicyVersion',
            'UpdateAssumeRolePolicy', 'DeleteRolePermissionsBoundary', 'DeleteUserPermissionsBoundary',
            'CreateAccountAssignment', 'AttachManagedPolicyToPermissionSet', 'PutInlinePolicyToPermissionSet',
            'AttachCustomerManagedPolicyReferenceToPermissionSet', 'CreateGroupMembership', 'AddMemberToGroup',
            'AdminAddUserToGroup', 'CreateAccessEntry', 'AssociateAccessPolicy', 'AttachPolicy'
        ) as is_elevation,
        exists(
            select 1
            from {{ ref('administrative_grants') }} as listed
            where names.granted_names like '%' || chr(10) || listed.name || chr(10) || '%'
        ) as is_administrative
    from names
),

final as (
    {{ findings('10.2.1.5', 'flagged', flags=['is_elevation', 'is_administrative']) }}
)

select * from final
