{# The rows of a unit test as a relation named given, and the names of its columns: those that any row gives. #}
{% macro fixture_rows(rows, types, quoted) %}
    {%- set formatted, names, lines, headings = [], [], [], [] -%}
    {%- for row in rows -%}
        {%- do formatted.append(format_row(row, types)) -%}
    {%- endfor -%}
    {%- for name in types if formatted | selectattr(name, 'defined') | list -%}
        {%- do names.append(name) -%}
        {%- do headings.append(quoted[name]) -%}
    {%- endfor -%}
    {%- for row in formatted -%}
        {%- set values = [] -%}
        {%- for name in names -%}
            {%- do values.append((row[name] if name in row else safe_cast('null', types[name])) | trim) -%}
        {%- endfor -%}
        {%- do lines.append('(' ~ values | join(', ') ~ ')') -%}
    {%- endfor -%}
    {{- return({
        'names': names,
        'relation': '(values ' ~ lines | join(', ') ~ ') as given (' ~ headings | join(', ') ~ ')',
    }) -}}
{% endmacro %}
