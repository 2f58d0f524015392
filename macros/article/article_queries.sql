{# The seven queries of the article that this project automates ('Automate Amazon Athena queries for PCI DSS log review
   using AWS Lambda', AWS Security Blog, 2020), by the requirement that they are for today: their number in PCI DSS
   v3.2.1 and their filter on an event. 10.6 has two queries; 10.2.1 and 10.2.3 are the same query on different buckets.

   The filters are the article's, but the parentheses around them are not: it wrote `a or b and day`, where the day
   belongs to b alone, so its 10.2.6 and 10.6 read every day there was. #}
{% macro article_queries() %}
    {%- set bucket_read -%}
        events.event_name = 'GetObject'
        and coalesce(events.source_ip, '') not in ('cloudtrail.amazonaws.com', 'athena.amazonaws.com')
        and {{ matches_any(
            "events.event_source || '/' || " ~ json_text('events.request_parameters', '$.bucketName'),
            "select event_source || '/' || replace(name, 'arn:aws:s3:::', '') as pattern from stores_seed"
        ) }}
    {%- endset -%}

    {{ return({
        '10.2.1.1': {'number': '10.2.1', 'filter': bucket_read | replace('stores_seed', ref('cardholder_data_stores'))},
        '10.2.1.2': {'number': '10.2.2', 'filter': "events.session_issuer_name like '%root%'"},
        '10.2.1.3': {'number': '10.2.3', 'filter': bucket_read | replace('stores_seed', ref('audit_log_stores'))},
        '10.2.1.4': {
            'number': '10.2.4',
            'filter': "events.event_name = 'ConsoleLogin' and events.response_elements like '%Failure%'"
        },
        '10.2.1.5': {
            'number': '10.2.5',
            'filter': "events.event_name = 'AddUserToGroup' and events.request_parameters like '%Admin%'"
        },
        '10.2.1.6': {
            'number': '10.2.6',
            'filter': "events.event_name = 'StopLogging' or events.event_name = 'StartLogging'"
        },
        '10.4.1-security-groups': {
            'number': '10.6',
            'filter': "events.event_name like '%SecurityGroup%' and (events.event_name like 'Create%'"
            ~ " or events.event_name like 'Delete%' or events.event_name like 'Update%'"
            ~ " or events.event_name like 'Authorize%')"
        },
        '10.4.1-network': {
            'number': '10.6', 'filter': "events.event_name like '%Subnet%' and events.event_name not like 'Describe%'"
        },
    }) }}
{% endmacro %}
