{# The names of what an event touches, as an array: the ARNs that it lists, what its request names, the bucket that an
   object is copied from, the words of an Athena query. An object's key is left out, since whoever writes an object
   chooses it. Each is written as its service, `/`, and its parts with `/` between and behind them: so a listed name is
   found in it whole, whether the record names the store or gives its ARN. #}
{% macro names_touched() -%}
    {%- set names -%}
        split(coalesce({{ regexp_replace_all('resource_arns', '(:::[^/\\n]+)/[^\\n]*', first=true, by="''") }}, ''), chr(10))
        || {{ json_texts('request_parameters', [
            'bucketName', 'tableName', 'keyId', 'secretId', 'logGroupName', 'logGroupIdentifier', 'functionName',
            'streamName', 'streamARN', 'queueUrl', 'resourceArn', 'tableArn', 'database', 'eventDataStore', 'name',
            'dBInstanceIdentifier', 'dBClusterIdentifier', 'clusterIdentifier', 'snapshotId', 'resourceId', 'topicArn',
            'fileSystemId', 'deliveryStreamName', 'keyIdentifier', 'aliasName', 'targetKeyId', 'tableBucketARN',
            'databaseName', 'backupVaultName'
        ]) }}
        || split(coalesce(case
            when request_parameters like '%x-amz-copy-source%'
                then {{ regexp_part(json_text('request_parameters', '$.x-amz-copy-source'), '^/?([^/]+)/') }}
       end, ''), chr(10))
        || split(coalesce(case
            when event_source = 'athena.amazonaws.com' then {{ regexp_replace_all(
                json_text('request_parameters', '$.queryString'), '[^A-Za-z0-9_-]+', by='chr(10)'
            ) }}
        end, ''), chr(10))
    {%- endset -%}
    {{ array_map(names, "event_source || '/' || replace(element, ':', '/') || '/'") }}
{%- endmacro %}
