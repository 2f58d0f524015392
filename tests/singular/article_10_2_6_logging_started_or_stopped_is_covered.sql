-- Whatever the article's query for 10.2.6 returns is among the findings of
-- pci_10_2_1_6_audit_log_changes.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_2_1_6_audit_log_changes'), '10.2.6') }}
