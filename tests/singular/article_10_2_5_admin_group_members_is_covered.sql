-- Whatever the article's query for 10.2.5 returns is among the findings of
-- pci_10_2_1_5_credential_changes.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_2_1_5_credential_changes'), '10.2.5') }}
