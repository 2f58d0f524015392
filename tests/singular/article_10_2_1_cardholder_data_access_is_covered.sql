-- Whatever the article's query for 10.2.1 returns is among the findings of
-- pci_10_2_1_1_cardholder_data_access.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_2_1_1_cardholder_data_access'), '10.2.1', stores=ref('cardholder_data_stores')) }}
