{# Of what it says: a line that is changed is another line. review/expected.py makes the same of the file. #}
{% macro expected_line_id() -%}
    {%- set columns = [
        'requirement', 'principal_kind', 'principal_account', 'principal_name', 'source_networks', 'event_source',
        'event_name', 'resource', 'reason', 'approved_by', 'approved_on', 'expires_on'
    ] -%}
    substr({{ sha256_text("coalesce(" ~ columns | join(", '') || chr(10) || coalesce(") ~ ", '')") }}, 1, 12)
{%- endmacro %}
