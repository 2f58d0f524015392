-- The article's query for PCI DSS v3.2.1 10.2.6: which trails were started or stopped.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_2_1_6_audit_log_changes, and a test holds that.
{{ article_query('10.2.1.6') }}
