-- What one of the article's queries returns for the run date, and the findings of its requirement do not hold. An event
-- that was delivered twice is one finding, hence the event is compared and not its file; ids and times may be missing.
-- depends_on: {{ ref('daily_review') }}, {{ ref('cardholder_data_stores') }}, {{ ref('audit_log_stores') }}
{% set article = article_queries() %}

with events as (
    select * from {{ ref('stg_cloudtrail__events') }}
    where run_date = {{ run_date_sql() }}
),

queries as (
    {% for requirement in article %}
        select '{{ requirement }}' as requirement
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- each event is read once, and asked for by each of the queries
article as (
    select
        queries.requirement,
        events.aws_account_id,
        coalesce(events.event_id, '') as event_id,
        coalesce(cast(events.event_time as varchar), '') as event_time,
        events.event_name
    from events
    cross join queries
    where
        {% for requirement, query in article.items() %}
            {{ 'or ' if not loop.first }}(queries.requirement = '{{ requirement }}' and ({{ query.filter }}))
        {% endfor %}
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
