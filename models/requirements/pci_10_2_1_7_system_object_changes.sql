{{ config(tags=['10.2.1.7'], meta={'pci_dss_v4_0_1': '10.2.1.7', 'pci_dss_v3_2_1': '10.2.7'}) }}

-- PCI DSS 10.2.1.7: creation and deletion of system-level objects, and changes of one as a whole, done or only tried.
with events as (
    {{ events_with_catalogue('10.2.1.7') }}
),

system_object_changes as (
    select
        events.*,
        catalogue_title as title,
        -- whether an object came or went, or is another than before, or holds something else
        concat_ws(', ', catalogue_flag, {{ object_change() }}) as flags
    from events
    -- the catalogue names it: instances, images, databases, clusters, functions, buckets, keys, secrets, stacks …
    where is_in_catalogue
),

final as (
    {{ finding_rows('10.2.1.7', 'system_object_changes') }}
)

select * from final
