{# Whether the text matches the LIKE pattern, in a time that grows with the length of either alone. DuckDB tries each
   place in the text for each `%` again: where that could take long, it is asked for the regular expression.

   `wildcards` is inner_wildcards of the pattern, where it has been counted before. #}
{% macro like_pattern(text, pattern, wildcards=none) %}
    {{- return(adapter.dispatch('like_pattern')(text, pattern, wildcards)) -}}
{% endmacro %}

{% macro duckdb__like_pattern(text, pattern, wildcards) -%}
    case
        when
            {{ wildcards or inner_wildcards(pattern) }} <= 1
            or pow(strlen({{ text }}), {{ wildcards or inner_wildcards(pattern) }}) <= 300000
            then {{ text }} like {{ pattern }}
        else regexp_full_match({{ text }}, '(?s)' || replace(replace(
            regexp_replace({{ pattern }}, '[.^$|()\[\]{}*+?\\]', '\\\0', 'g'), '%', '.*'
        ), '_', '.'))
    end
{%- endmacro %}

{% macro athena__like_pattern(text, pattern, wildcards) -%}
    {{ text }} like {{ pattern }}
{%- endmacro %}
