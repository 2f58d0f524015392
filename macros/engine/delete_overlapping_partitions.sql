{# dbt-athena's macro clears only the partitions that the new rows name: a rerun that finds nothing would leave the
   day's earlier rows. This one clears the run date's partition always, after the new rows are safely in the temporary
   table. #}
{% macro delete_overlapping_partitions(target_relation, tmp_relation, partitioned_by) %}
    {% do adapter.clean_up_partitions(target_relation, ["run_date='" ~ run_date() ~ "'"]) %}
{% endmacro %}
