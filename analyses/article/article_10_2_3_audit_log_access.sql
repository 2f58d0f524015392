-- The article's query for PCI DSS v3.2.1 10.2.3: who read an object of a bucket with audit logs.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_2_1_3_audit_log_access, and a test holds that.
{{ article_query('10.2.1.3') }}
