-- Whatever the article's query for 10.2.2 returns is among the findings of
-- pci_10_2_1_2_administrative_actions.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_2_1_2_administrative_actions'), '10.2.2') }}
