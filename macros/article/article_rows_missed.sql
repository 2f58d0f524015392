{# What an article's query returns for the run date and a model does not. An event that was delivered twice is one row of
   the model, hence the event is compared and not its file; ids and times may be missing. #}
{% macro article_rows_missed(model, name, stores=none) %}
    with article as (
        {{ article_query(name, stores) }}
    )

    select article.*
    from article
    left join {{ model }} as findings
        on
            findings.run_date = {{ run_date_sql() }}
            and article.aws_account_id = findings.aws_account_id
            and coalesce(article.event_id, '') = coalesce(findings.event_id, '')
            and coalesce(cast(article.event_time as varchar), '') = coalesce(cast(findings.event_time as varchar), '')
            and article.event_name = findings.event_name
    where findings.run_date is null
{% endmacro %}
