{# The names of what an event touches, each on a line of its own: buckets, tables, keys, log groups … of the ARNs that
   it lists and of its request; the words of an Athena query. `/` and `:` part names as line ends do, but an object's
   key is left out, since whoever writes an object chooses it. #}
{% macro store_names() -%}
    chr(10) || replace(replace(
        coalesce({{ regexp_replace_all('resource_arns', '(:::[^/\\n]+)/[^\\n]*', first=true, by="''") }}, '')
        || chr(10)
        || coalesce({{ json_texts('request_parameters', [
            'bucketName', 'tableName', 'keyId', 'secretId', 'logGroupName', 'logGroupIdentifier', 'functionName',
            'streamName', 'streamARN', 'queueUrl', 'resourceArn', 'tableArn', 'database', 'eventDataStore', 'name',
            'dBInstanceIdentifier', 'dBClusterIdentifier', 'clusterIdentifier', 'snapshotId', 'resourceId', 'topicArn',
            'fileSystemId', 'deliveryStreamName', 'keyIdentifier', 'aliasName', 'targetKeyId', 'tableBucketARN',
            'databaseName', 'backupVaultName'
        ]) }}, '')
        -- the bucket that an object is copied from
        || chr(10)
        || coalesce({{ regexp_part(json_text('request_parameters', '$.x-amz-copy-source'), '^/?([^/]+)/') }}, ''),
        '/', chr(10)
    ), ':', chr(10)) || chr(10)
    || coalesce(case
        when event_source = 'athena.amazonaws.com' then {{ regexp_replace_all(
            json_text('request_parameters', '$.queryString'), '[^A-Za-z0-9_-]+', by='chr(10)'
        ) }}
    end, '') || chr(10)
{%- endmacro %}
