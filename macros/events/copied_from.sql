{# S3 takes the header as `bucket/key`, with or without a slash before it, any character as %2F and the like; instead of
   the bucket it may name an access point by its ARN, which has a slash of its own. #}
{% macro copied_from() -%}
    {%- set header = regexp_part('request_parameters', '"x-amz-copy-source" *: *\\[? *"([^"]+)"') -%}
    case
        -- most requests copy nothing
        when request_parameters like '%-copy-source"%' then {{ regexp_part(
            url_decoded('replace(' ~ header ~ ", '\\', '')"), '^/*(arn:[^/]*(?:/[^/?]+)?|[^/?]+)'
        ) }}
    end
{%- endmacro %}
