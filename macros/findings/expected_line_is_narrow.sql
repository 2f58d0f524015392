{% macro expected_line_is_narrow() -%}
    (
        requirement not like '%!%%' escape '!'
        and principal_name not like '%!%%' escape '!'
        and event_source <> '%'
        and (
            resource <> '%'
            or (
                event_name not like '%!%%' escape '!'
                and (principal_account <> 'any account in scope' or principal_kind = 'service')
            )
        )
    )
{%- endmacro %}
