{% macro logs_root() %}
    {% set logs = var('logs').rstrip('/') %}
    {% set organization_id = var('organization_id') or '' %}
    {% if not modules.re.fullmatch("s3://[a-z0-9][a-z0-9.-]+(/[A-Za-z0-9!_.*()=+@ -]+)*", logs) %}
        {{ exceptions.raise_compiler_error(
            "PCI_LOG_REVIEW_LOGS is '" ~ logs
            ~ "': on Athena it is the s3://bucket or s3://bucket/prefix "
            ~ "that holds AWSLogs/"
        ) }}
    {% endif %}
    {% if organization_id and not modules.re.fullmatch('o-[a-z0-9]{10,32}', organization_id) %}
        {{ exceptions.raise_compiler_error(
            "organization_id '" ~ organization_id ~ "' is not of the form o-a1b2c3d4e5"
        ) }}
    {% endif %}
    {{ return(logs ~ '/AWSLogs/' ~ (organization_id ~ '/' if organization_id else '')) }}
{% endmacro %}
