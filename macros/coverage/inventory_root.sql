{# The prefix below which the wrapper writes its inventory of each day's files, ending in a slash. #}
{% macro inventory_root() %}
    {{ return(target.s3_data_dir.rstrip('/') ~ '/cloudtrail_inventory/') }}
{% endmacro %}
