{% macro json_text(json, path) %}
    {{- return(adapter.dispatch('json_text')(json, path)) -}}
{% endmacro %}

{% macro duckdb__json_text(json, path) -%}
    -- a long text would not fit into the memory with those of the events beside it: see pci_json_texts
    case
        when strlen({{ json }}) <= 20000
            then json_value(case when json_valid({{ json }}) then {{ json }} end, '{{ path }}') ->> '$'
        else pci_json_texts({{ json }}, ['{{ path }}'])[1]
    end
{%- endmacro %}

{% macro athena__json_text(json, path) -%}
    {#- a key with a hyphen has to stand in brackets -#}
    json_extract_scalar({{ json }}, '{{ '$["' ~ path[2:] ~ '"]' if '-' in path else path }}')
{%- endmacro %}
