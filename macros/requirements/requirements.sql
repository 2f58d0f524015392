{# `findings` is built from this list while dbt parses the project, so it can't be a table; the model `requirements`
   shows it as one. A command line that sets others could leave requirements out unnoticed. #}
{% macro requirements() %}
    {% if 'requirements' in (invocation_args_dict.vars or {}) %}
        {{ exceptions.raise_compiler_error('requirements are listed in dbt_project.yml; --vars can not set them') }}
    {% endif %}
    {{ return(var('requirements')) }}
{% endmacro %}
