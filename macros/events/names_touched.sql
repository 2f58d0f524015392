{# One text with all by which an event may name a store: the ARNs that it lists or was refused on, the texts of its
   request at any depth, the bucket that an object is copied from, and the words of a query. The keys of objects are
   left out, since their writers choose them. Everything is in lower case; `/|/` parts the names, and `/` the parts of
   one. So a listed name is found as a whole, whether the record names the store or gives its ARN. #}
{% macro names_touched() -%}
    lower(event_source) || '/|/'
    || replace(
        lower(concat_ws(
            '/|/',
            replace({{ regexp_replace_all(
                'resource_arns', '((?::::|:accesspoint[/:])[^/\\n]+)/[^\\n]*', '\\1'
            ) }}, chr(10), '/|/'),
            {{ refused_on() }},
            {{ copied_from() }}
        )) || coalesce({{ names_in_json('request_parameters') }}, ''),
        ':', '/'
    )
    || case
        -- their requests hold queries, or name tables where members have their names
        when event_source in (
            'athena.amazonaws.com', 'cassandra.amazonaws.com', 'dax.amazonaws.com', 'dynamodb.amazonaws.com',
            'rdsdata.amazonaws.com', 'redshift-data.amazonaws.com', 'timestream.amazonaws.com'
        )
            then coalesce('/' || {{ regexp_replace_all('lower(request_parameters)', '[^a-z0-9_-]+', '/') }}, '')
        -- the names of log groups have slashes and dots
        when event_source = 'logs.amazonaws.com'
            then coalesce(
                '/' || {{ regexp_replace_all('lower(request_parameters)', '[^a-z0-9_./#-]+', '/') }}, ''
            )
        else ''
    end
    || '/|/'
{%- endmacro %}
