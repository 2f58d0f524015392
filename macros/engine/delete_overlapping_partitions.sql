{# Overrides dbt-athena's macro, which clears only the partitions that the new rows name: a rerun that finds nothing
   would leave the earlier rows of the day. Here the run date's partition is always cleared, after the new rows are
   safely in the temporary table. #}
{% macro delete_overlapping_partitions(target_relation, tmp_relation, partitioned_by) %}
    {% do adapter.clean_up_partitions(target_relation, ["run_date='" ~ run_date() ~ "'"]) %}
{% endmacro %}
