{# `*` in trail_scope stands for every region of the partition in which the account has its other lines; in aws, where
   it has none. #}
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
        left join (
            select distinct
                named.account_id,
                known_regions.aws_partition
            from {{ ref('trail_scope') }} as named
            inner join {{ ref('aws_regions') }} as known_regions on named.region = known_regions.region
        ) as partitions on scope.account_id = partitions.account_id and scope.region = '*'
        left join {{ ref('aws_regions') }} as regions
            on scope.region = '*' and regions.aws_partition = coalesce(partitions.aws_partition, 'aws')
    ) as every_line
    where precedence = 1
{% endmacro %}
