{# Of access to a listed store, or to what may be one: what the catalogue does not name has a title, too. #}
{% macro store_access() -%}
    coalesce(
        catalogue_title,
        case when may_touch_store then 'Access, target not recorded' else 'Access a listed store' end
    ) as title,
    nullif(concat_ws(
        ', ',
        case when event_type = 'AwsVpceEvent' then 'network activity' when is_data_event then 'data event' end,
        case when may_touch_store then 'target not recorded' end,
        catalogue_flag
    ), '') as flags
{%- endmacro %}
