-- The article's query for PCI DSS v3.2.1 10.6: which security groups were changed.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_4_1_security_group_changes, and a test holds that.
{{ article_query('10.4.1-security-groups') }}
