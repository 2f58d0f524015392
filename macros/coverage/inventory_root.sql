{% macro inventory_root() %}
    {{ return(target.s3_data_dir.rstrip('/') ~ '/cloudtrail_inventory/') }}
{% endmacro %}
