{# One can't tell which store a call was for where its request was omitted, or what would name the store was hidden, or
   an id stands for it (of a query, of a shard's iterator) or an access point. #}
{% macro target_is_recorded() -%}
    {%- set hidden -%}
        "(?:[*][^"]*|hidden_[^"]*|[^"a-z0-9]*(?:omitted|redacted|masked|removed)[^"a-z0-9]*|sensitive_?data_?removed)"
    {%- endset -%}
    {%- set request = regexp_replace_all('lower(request_parameters)', hidden, '""') -%}
    {%- set bucket = '[a-z0-9][a-z0-9._-]*' -%}
    {%- set access_point = '"[a-z0-9.-]*(?:-s3alias|--ol-s3|--op-s3|[.]mrap)"' -%}
    {%- set named = 'lower(concat_ws(chr(10), resource_arns, ' ~ refused_on() ~ '))' -%}
    {%- set value = '"\\s*:\\s*(?:\\[\\s*)?(?:[{]\\s*"[a-z]+"\\s*:\\s*(?:\\[\\s*)?)?"[^"]' -%}
    case
        when
            event_source = 's3.amazonaws.com'
            and (event_name in ('CopyObject', 'UploadPartCopy') or request_parameters like '%-copy-source"%')
            and not (
                {{ regexp_like('lower(' ~ copied_from() ~ ')', '^' ~ bucket ~ '$') }}
                and not {{ regexp_like("'\"' || lower(" ~ copied_from() ~ ") || '\"'", '^' ~ access_point ~ '$') }}
            )
            then false
        when event_source = 's3.amazonaws.com' and {{ named }} like '%:s3:::%' then true
        when event_source = 's3.amazonaws.com' then {{ regexp_like(
            regexp_replace_all(request, access_point, '""'),
            '"(?:[a-z0-9-]*bucket[a-z]*|target|locationscope)"\\s*:\\s*(?:\\[\\s*)?"(?:s3://)?' ~ bucket ~ '[/"*]'
            ~ '|arn:aws[a-z-]*:s3:::[a-z0-9]'
        ) }}
        -- the work group of a query is no store
        when {{ named }} <> '' and {{ named }} not like '%:workgroup/%' then true
        when
            {{ regexp_like(request, '"omitted"\\s*:\\s*true') }}
            -- a query that is hidden
            or {{ regexp_like(
                request, '"(?:querystring|sqls?|sqlstatements|statements?|codeblock)"\\s*:\\s*(?:\\[\\s*)?""'
            ) }}
            then false
        when event_source = 'logs.amazonaws.com'
            then {{ regexp_like(
                request, '"(?:loggroupnames?|loggroupidentifiers?|resourcearn|resourceidentifier)' ~ value
            ) }}
        else {{ regexp_like(
            request,
            '"(?:[a-z0-9]*(?:name|arn|identifier|bucket|table|database|queueurl|phonenumber)s?|querystring|sqls?'
            ~ '|sqlstatements|statement|codeblock|target'
            ~ '|[a-z0-9]*(?:key|secret|volume|snapshot|image|instance|filesystem|stream|cluster|resource|vault)'
            ~ 'id(?:s|list)?)'
            ~ value ~ '|"requestitems"\\s*:\\s*[{]\\s*"[^"]'
        ) }}
    end
{%- endmacro %}
