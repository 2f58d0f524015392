{# Two halves of all addresses, or a long form of ::/0, open as much as 0.0.0.0/0: every prefix of 0 to 7 bits counts.
   IPv6's private addresses (fc00::/7) are no world. What is not recorded may be the world. #}
{% macro opens_to_world() -%}
    {%- set texts = "lower(replace(concat_ws(' ', request_parameters, response_elements), '\\', ''))" -%}
    {%- set hidden = '"omitted"\\s*:\\s*true|"(?:[*][^"]*|hidden_[^"]*)"' -%}
    case
        when {{ regexp_like(
            texts,
            '"\\s*(?:[0-9]{1,3}(?:[.][0-9]{1,3}){3}'
            ~ '|(?:[0-9a-f]{0,3}|[0-9a-e][0-9a-f]{3}|f[0-9abef][0-9a-f]{2}):[0-9a-f:.]*)/0*[0-7]\\s*"'
        ) }} then 'opens to the world'
        when {{ regexp_like(texts, '"pl-[0-9a-z]+"') }}
            then 'may open to the world: content of the prefix list not recorded'
        when
            {{ regexp_like(texts, hidden) }}
            -- neither an address nor a group that may come in
            or not {{ regexp_like(
                texts,
                '"\\s*[0-9a-f:.]+/[0-9]{1,3}\\s*"'
                ~ '|"(?:source[a-z]*group[a-z]*|ec2securitygroup[a-z]*|referencedgroupid)"\\s*:\\s*"[^"]'
                ~ '|"(?:groups|useridgrouppairs)"\\s*:\\s*(?:[{]\\s*"items"\\s*:\\s*)?\\[\\s*[{]'
            ) }}
            then 'may open to the world: source not recorded'
    end
{%- endmacro %}
