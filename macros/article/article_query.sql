{# The seven queries of the article that this project automates ('Automate Amazon Athena queries for PCI DSS log review
   using AWS Lambda', AWS Security Blog, 2020), by their number in PCI DSS v3.2.1, on the run date's events. The filters
   are the article's; the parentheses are not: it wrote `a or b and day`, in which the day belongs to b alone, so that
   its 10.2.6 and 10.6 read every day there was.

   name:   the number; 10.6 has two queries, and 10.2.1 and 10.2.3 are one query on other buckets
   stores: for 10.2.1 and 10.2.3, the seed with the buckets #}
{% macro article_query(name, stores=none) %}
    {%- set bucket_read -%}
        event_name = 'GetObject'
        and coalesce(source_ip, '') not in ('cloudtrail.amazonaws.com', 'athena.amazonaws.com')
        and exists (
            select 1
            from {{ stores }} as stores
            where
                stores.event_source = events.event_source
                and {{ json_text('events.request_parameters', '$.bucketName') }}
                like replace(stores.name, 'arn:aws:s3:::', '')
        )
    {%- endset -%}

    {%- set filters = {
        '10.2.1': bucket_read,
        '10.2.2': "session_issuer_name like '%root%'",
        '10.2.3': bucket_read,
        '10.2.4': "event_name = 'ConsoleLogin' and response_elements like '%Failure%'",
        '10.2.5': "event_name = 'AddUserToGroup' and request_parameters like '%Admin%'",
        '10.2.6': "event_name = 'StopLogging' or event_name = 'StartLogging'",
        '10.6 security groups': "event_name like '%SecurityGroup%' and (event_name like 'Create%' or event_name like 'Delete%' or event_name like 'Update%' or event_name like 'Authorize%')",
        '10.6 subnets': "event_name like '%Subnet%' and event_name not like 'Describe%'",
    } -%}

    select events.*
    from {{ ref('stg_cloudtrail__events') }} as events
    where
        events.run_date = {{ run_date_sql() }}
        and ({{ filters[name] }})
{% endmacro %}
