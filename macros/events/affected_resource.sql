{# The keys are ordered by how much they tell. #}
{% macro affected_resource() -%}
    coalesce(
        nullif(split_part(resource_arns, chr(10), 1), ''),
        {{ json_text('request_parameters', '$.bucketName') }}
        || coalesce('/' || {{ json_text('request_parameters', '$.key') }}, ''),
        split_part({{ first_json_text('request_parameters', [
            'groupId', 'groupName', 'userName', 'roleName', 'instanceProfileName', 'policyName', 'policyArn',
            'serialNumber', 'accessKeyId', 'accountAlias', 'sAMLProviderArn', 'openIDConnectProviderArn',
            'serverCertificateName', 'permissionSetArn', 'functionName', 'tableName', 'keyId', 'secretId',
            'dBInstanceIdentifier', 'dBClusterIdentifier', 'dBSnapshotIdentifier', 'dBClusterSnapshotIdentifier',
            'instanceId', 'instancesSet.items[0].instanceId', 'DeleteNatGatewayRequest.NatGatewayId',
            'DeleteFlowLogsRequest.FlowLogId.content', 'keyName', 'imageId', 'volumeId', 'snapshotId', 'subnetId',
            'routeTableId', 'networkAclId', 'vpcId',
            'natGatewayId', 'internetGatewayId', 'transitGatewayId', 'vpcEndpointId', 'vpcPeeringConnectionId',
            'allocationId', 'networkInterfaceId', 'webACLArn', 'resourceArn', 'loadBalancerArn', 'loadBalancerName',
            'trailName', 'trailARN', 'eventDataStore', 'logGroupName', 'logGroupIdentifier',
            'configurationRecorderName',
            'detectorId', 'clusterName', 'cluster', 'clusterIdentifier', 'repositoryName', 'stackName', 'stackId',
            'certificateArn', 'topicArn', 'queueUrl', 'queueName', 'streamName', 'domainName', 'hostedZoneId',
            'autoScalingGroupName', 'launchTemplateName', 'fileSystemId', 'backupVaultName', 'workGroup', 'arn',
            'resourceId', 'id', 'name'
        ]) }}, chr(10), 1),
        split_part({{ first_json_text('response_elements', [
            'functionArn', 'groupId', 'keyId', 'arn', 'dBInstanceArn', 'volumeId', 'snapshotId', 'imageId', 'trailARN'
        ]) }}, chr(10), 1)
    )
{%- endmacro %}
