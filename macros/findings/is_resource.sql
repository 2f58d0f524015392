{# A name is compared from its beginning (resource_beginning), and up to a boundary: an object's key, which anybody may
   choose, can't pass for a bucket. Of an ARN, what comes after the account is the name, and what comes after its type
   (`key/…`), but for S3, where a bucket comes first, and IAM, where a path, which anybody may choose, comes before the
   name. #}
{% macro is_resource(resource, name, beginning) -%}
    {%- set after_account -%}
        {{ regexp_part(resource, '^arn:[^:]*:[^:]*:[^:]*:[^:]*:(.+)') }}
    {%- endset -%}
    case
        -- most are objects: the same as below, without the search for the parts of an ARN
        when starts_with({{ resource }}, 'arn:aws:s3:::') and not starts_with({{ name }}, 'arn:')
            then starts_with(replace(substr({{ resource }}, 14), ':', '/') || '/', {{ beginning }})
        when {{ resource }} not like 'arn:%' then starts_with(replace({{ resource }}, ':', '/') || '/', {{ beginning }})
        when starts_with({{ name }}, 'arn:') then starts_with(replace({{ resource }}, ':', '/') || '/', {{ beginning }})
        when split_part({{ resource }}, ':', 3) = 'iam' then {{ after_account }} = {{ name }}
        else coalesce(
            starts_with(replace({{ after_account }}, ':', '/') || '/', {{ beginning }})
            or (
                split_part({{ resource }}, ':', 3) <> 's3'
                and starts_with(
                    replace({{ regexp_part(resource, '^arn:[^:]*:[^:]*:[^:]*:[^:]*:[a-z-]+[/:](.+)') }}, ':', '/')
                    || '/', {{ beginning }}
                )
            ), false
        )
    end
{%- endmacro %}
