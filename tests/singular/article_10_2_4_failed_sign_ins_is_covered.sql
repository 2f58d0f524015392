-- Whatever the article's query for 10.2.4 returns is among the findings of
-- pci_10_2_1_4_invalid_access_attempts.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_2_1_4_invalid_access_attempts'), '10.2.4') }}
