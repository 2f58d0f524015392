{# By the first word of its name, as in AWS's API models: Get, List and the like, also for many at once (BatchGet) or by
   an administrator (AdminGet). The word has to end there: ListenToSubnets is no List. #}
{% macro is_read() -%}
    {%- set words = [
        'Check', 'Count', 'Describe', 'Estimate', 'Get', 'Head', 'Is', 'List', 'Lookup', 'Query', 'Scan', 'Search',
        'Select', 'Simulate', 'Validate', 'View',
    ] -%}
    {{ regexp_like('event_name', '^(Admin|Batch)?(' ~ words | join('|') ~ ')([A-Z0-9]|$)') }}
{%- endmacro %}
