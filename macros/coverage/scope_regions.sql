{# `*` in trail_scope stands for every region of the catalogue. #}
{% macro scope_regions() %}
    select account_id, account_name, region, in_cde, logs_expected
    from (
        select
            scope.account_id,
            scope.account_name,
            coalesce(regions.region, scope.region) as region,
            lower(scope.in_cde) = 'true' as in_cde,
            scope.logs_expected,
            row_number() over (
                partition by scope.account_id, coalesce(regions.region, scope.region) order by scope.region desc
            ) as precedence
        from {{ ref('trail_scope') }} as scope
        left join {{ ref('aws_regions') }} as regions on scope.region = '*'
    ) as every_line
    where precedence = 1
{% endmacro %}
