{# The requirements that are reviewed, as dbt_project.yml lists them. `findings` is put together from this list while
   dbt parses the project, so it can't be a table; the model `requirements` shows it as one. A command line that sets
   other ones would leave requirements out, and nothing would show it. #}
{% macro requirements() %}
    {% if 'requirements' in (invocation_args_dict.vars or {}) %}
        {{ exceptions.raise_compiler_error('requirements are listed in dbt_project.yml; --vars can not set them') }}
    {% endif %}
    {{ return(var('requirements')) }}
{% endmacro %}
