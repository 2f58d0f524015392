{# The embedded reader extracted it from the JSON: the additional data of all other events is long, and no model
   reads it. #}
{% macro mfa_used() %}
    {{- return(adapter.dispatch('mfa_used')()) -}}
{% endmacro %}

{% macro duckdb__mfa_used() -%}
    mfaused
{%- endmacro %}

{% macro athena__mfa_used() -%}
    case when eventname = 'ConsoleLogin' then {{ json_text('additionaleventdata', '$.MFAUsed') }} end
{%- endmacro %}
