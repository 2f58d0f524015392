{# A store has several names: a record may give its ARN where its name is listed, or its name where its ARN is. #}
{% macro listed_stores(seed) -%}
    select
        name,
        lower(event_source || '%' || replace(spelling, ':', '/') || '%') as pattern
    from (
        select
            event_source,
            name,
            '/' || name || '/' as spelling
        from {{ ref(seed) }}
        union all
        -- the name in a listed ARN, where a record has nothing but the name: its ARN may be that of another account
        select
            event_source,
            name,
            '|/' || coalesce(
                {{ regexp_part('name', '^arn:[^:]*:[^:]*:::([^/]+)') }},
                {{ regexp_part('name', '^arn:[^:]*:[^:]*:[^:]*:[^:]*:(?:[A-Za-z-]+[/:])?(.+?)(?::[*])?$') }}
            ) || '/|' as spelling
        from {{ ref(seed) }}
        union all
        -- an ARN ends in six characters more than the secret's name
        select
            event_source,
            name,
            '/secret/' || name || '-______/' as spelling
        from {{ ref(seed) }}
        where event_source = 'secretsmanager.amazonaws.com' and name not like 'arn:%'
        union all
        select
            event_source,
            name,
            '|/' || {{ regexp_part('name', '^arn:.*:secret:(.+)-[A-Za-z0-9]{6}$') }} || '/|' as spelling
        from {{ ref(seed) }}
        union all
        -- database.table in a query
        select
            event_source,
            name,
            '/' || replace(name, '.', '/') || '/' as spelling
        from {{ ref(seed) }}
    ) as spellings
    where spelling is not null
{%- endmacro %}
