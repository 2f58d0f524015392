{# What a sign-in to the console says of MFA: Yes or No. The embedded reader took it out of the JSON: the additional
   data of all the other events is long, and nobody reads it. #}
{% macro mfa_used() %}
    {{- return(adapter.dispatch('mfa_used')()) -}}
{% endmacro %}

{% macro duckdb__mfa_used() -%}
    mfaused
{%- endmacro %}

{% macro athena__mfa_used() -%}
    case when eventname = 'ConsoleLogin' then {{ json_text('additionaleventdata', '$.MFAUsed') }} end
{%- endmacro %}
