{# The prefix below which the wrapper writes its listing of each day's files, ending in a slash. #}
{% macro log_files_root() %}
    {{ return(target.s3_data_dir.rstrip('/') ~ '/cloudtrail_log_files/') }}
{% endmacro %}
