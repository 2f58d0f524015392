-- What one of the article's queries returns for the run date, and the findings of its requirement do not hold. An event
-- that was delivered twice is one finding, hence the event is compared and not its file; ids and times may be missing.
-- The article takes any name with Subnet but Describe for a change, also one that only reads, and any name with
-- SecurityGroup, also of two services in which it is another thing: these are no findings.
-- depends_on: {{ ref('daily_review') }}, {{ ref('cardholder_data_stores') }}, {{ ref('audit_log_stores') }}
{% set article = article_queries() %}

with events as (
    select * from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
),

-- each event is read once, and asked for by each of the queries
asked_for as (
    select
        aws_account_id,
        coalesce(event_id, '') as event_id,
        coalesce(cast(event_time as varchar), '') as event_time,
        event_source,
        event_name,
        array[
            {% for requirement, query in article.items() %}
                case when {{ query.filter }} then '{{ requirement }}' end{{ ',' if not loop.last }}
            {% endfor %}
        ] as requirements
    from events
    where
        {% for query in article.values() %}
            {{ 'or ' if not loop.first }}({{ query.filter }})
        {% endfor %}
),

article as (
    select
        queries.requirement,
        asked_for.aws_account_id,
        asked_for.event_id,
        asked_for.event_time,
        asked_for.event_name
    from asked_for
    inner join (
        values
        {% for requirement in article %}
            ('{{ requirement }}'){{ ',' if not loop.last }}
        {% endfor %}
    ) as queries (requirement) on contains(asked_for.requirements, queries.requirement)
    where
        not (queries.requirement = '10.4.1-network' and {{ is_read() }})
        and not (
            queries.requirement = '10.4.1-security-groups'
            and coalesce(asked_for.event_source, '') in ('medialive.amazonaws.com', 'wickr.amazonaws.com')
        )
),

findings as (
    select
        requirement,
        aws_account_id,
        coalesce(event_id, '') as event_id,
        coalesce(cast(event_time as varchar), '') as event_time,
        event_name
    from {{ ref('findings') }}
    where run_date = {{ run_date_sql() }}
)

select * from article
except
select * from findings
