{# dbt writes what it ran to target/run/ plus the seed's own path: with an absolute path, or one that leaves the
   project, it would overwrite the user's settings. So such a path is refused before anything runs. #}
{% macro refuse_settings_outside_project() %}
    {% set folder = env_var('PCI_LOG_REVIEW_SETTINGS', 'seeds/settings') %}
    {% if folder.startswith('/') or folder.startswith('~') or '..' in folder or ':' in folder %}
        {{ exceptions.raise_compiler_error(
            'PCI_LOG_REVIEW_SETTINGS is ' ~ folder
            ~ ': dbt alone takes a folder inside the project, or a symbolic link there'
            ~ ' to yours: ln -s ' ~ folder ~ ' seeds/my-settings; pci-log-review run --settings takes any folder'
        ) }}
    {% endif %}
{% endmacro %}
