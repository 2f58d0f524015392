-- Whatever the article's query for 10.2.3 returns is among the findings of
-- pci_10_2_1_3_audit_log_access.
-- depends_on: {{ ref('daily_review') }}
{{ article_rows_missed(ref('pci_10_2_1_3_audit_log_access'), '10.2.3', stores=ref('audit_log_stores')) }}
