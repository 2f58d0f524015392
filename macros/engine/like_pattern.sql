{# Whether the text matches the LIKE pattern, in a time that grows with the length of either alone. DuckDB tries each
   place in the text for each `%` again: where that could take long, it is asked for the regular expression. #}
{% macro like_pattern(text, pattern) %}
    {{- return(adapter.dispatch('like_pattern')(text, pattern)) -}}
{% endmacro %}

{% macro duckdb__like_pattern(text, pattern) -%}
    case
        when
            pow(
                strlen({{ text }}), strlen(rtrim({{ pattern }}, '%')) - strlen(replace({{ pattern }}, '%', ''))
            ) <= 300000
            then {{ text }} like {{ pattern }}
        else regexp_full_match({{ text }}, '(?s)' || replace(replace(
            regexp_replace({{ pattern }}, '[.^$|()\[\]{}*+?\\]', '\\\0', 'g'), '%', '.*'
        ), '_', '.'))
    end
{%- endmacro %}

{% macro athena__like_pattern(text, pattern) -%}
    {{ text }} like {{ pattern }}
{%- endmacro %}
