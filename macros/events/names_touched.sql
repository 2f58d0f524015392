{# The ARNs that the event lists, what its request names, the bucket that an object is copied from, and an Athena query
   with its words as parts. An object's key is left out, since its writer chooses it. Every part is followed by `/`, so
   a listed name is matched as a whole, whether the record names the store or gives its ARN. #}
{% macro names_touched() -%}
    {%- set names -%}
        {{ array_map(
            "split(coalesce(resource_arns, ''), chr(10))",
            'coalesce(' ~ regexp_part('element', '^(.*?:::[^/]+)/') ~ ', element)'
        ) }}
        || {{ json_texts('request_parameters', [
            'bucketName', 'tableName', 'keyId', 'secretId', 'logGroupName', 'logGroupIdentifier', 'functionName',
            'streamName', 'streamARN', 'queueUrl', 'resourceArn', 'tableArn', 'database', 'eventDataStore', 'name',
            'dBInstanceIdentifier', 'dBClusterIdentifier', 'clusterIdentifier', 'snapshotId', 'resourceId', 'topicArn',
            'fileSystemId', 'deliveryStreamName', 'keyIdentifier', 'aliasName', 'targetKeyId', 'tableBucketARN',
            'databaseName', 'backupVaultName'
        ]) }}
        || regexp_extract_all(
            -- most requests copy nothing
            coalesce(case
                when request_parameters like '%x-amz-copy-source%'
                    then {{ regexp_part(json_text('request_parameters', '$.x-amz-copy-source'), '^/?([^/]+)/') }}
            end, ''),
            '.+'
        )
        || regexp_extract_all(
            coalesce(case
                when event_source = 'athena.amazonaws.com' then {{ regexp_replace_all(
                    json_text('request_parameters', '$.queryString'), '[^A-Za-z0-9_-]+', '/'
                ) }}
            end, ''),
            '.+'
        )
    {%- endset -%}
    {{ array_map(names, "event_source || '/' || replace(element, ':', '/') || '/'") }}
{%- endmacro %}
