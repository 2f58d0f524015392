-- Whatever the article's query for 10.6 (security groups) returns is among the findings of
-- pci_10_4_1_security_group_changes.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_4_1_security_group_changes'), '10.6 security groups') }}
