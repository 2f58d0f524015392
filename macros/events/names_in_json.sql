{# One regular expression, which both engines read alike, takes out, in this order:
   - what a caller writes and no store is named by: an object's key, tokens, headers, an encryption context;
   - the names of members;
   - escapes, and what parts one text from the next.
   Inside a text each quote follows a backslash, so nothing that a caller writes is taken for the JSON around it. #}
{% macro names_in_json(json) -%}
    {%- set text -%} "[^"\\]*(?:\\.[^"\\]*)*" {%- endset -%}
    {%- set no_names -%}
        key|host|prefix|delimiter|marker|range|uploadid|versionid|description|
        ~[a-z]*message[a-z]*|[a-z-]*token|x-amz-[a-z0-9-]*
    {%- endset -%}
    {%- set pattern -%}
        (?:[{,]\s*)?"(?:{{ no_names }})"\s*:\s*{{ text }}
        ~|(?:[{,]\s*)?"[a-z]*encryptioncontext[a-z]*"\s*:\s*[{][^{}]*[}]
        ~|(?:[{,]\s*)?{{ text }}\s*:\s*"?
        ~|[\[,]\s*"|\\u[0-9a-f]{4}|\\.|[\]\[{},"]
    {%- endset -%}
    {{ regexp_replace_all(
        "lower(replace(" ~ json ~ ", '\\/', '/'))", modules.re.sub('\\s+~', '', pattern), '/|/'
    ) }}
{%- endmacro %}
