{# Each finding is there for a reason: the catalogue names its event for its requirement (on a listed store, where the
   line says so), or it has one of the flags by which its requirement takes events that the catalogue does not name. #}
{% test finding_has_reason(model) %}
    -- depends_on: {{ ref('daily_review') }}
    with findings as (
        select * from {{ model }}
        where run_date = {{ run_date_sql() }}
    ),

    -- patterns are matched with the few names, not with the many findings
    names as (
        select distinct
            requirement,
            event_source,
            event_name
        from findings
    ),

    lines as (
        {{ catalogue_lines() }}
    ),

    catalogued as (
        select distinct
            names.requirement,
            names.event_source,
            names.event_name,
            lines.applies_to,
            lines.request_pattern
        from names
        inner join lines
            on
                names.requirement = lines.requirement
                and names.event_source like lines.event_source
                and names.event_name like lines.event_name
    )

    select findings.*
    from findings
    where
        {% for line in requirements() if line.by_flag %}
        not (
            findings.requirement = '{{ line.requirement }}'
            and {{ regexp_like('findings.flags', '(^|, )(' ~ line.by_flag | join('|') ~ ')(,|$)') }}
            {%- if 'data event' in line.by_flag %}
            and (findings.store is not null or findings.flags like '%target not recorded%')
            {%- endif %}
        )
        and
        {% endfor %}
        not exists (
            select 1
            from catalogued
            where
                findings.requirement = catalogued.requirement
                and findings.event_source = catalogued.event_source
                and findings.event_name = catalogued.event_name
                and (
                    catalogued.applies_to = 'always'
                    or (catalogued.applies_to = 'listed stores' and findings.store is not null)
                    or (
                        catalogued.applies_to = 'its request'
                        and (
                            findings.title like '%, request not recorded'
                            or {{ request_has('findings.request_parameters', 'catalogued.request_pattern') }}
                        )
                    )
                )
        )
{% endtest %}
