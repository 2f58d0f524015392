-- The article's query for PCI DSS v3.2.1 10.2.5: who was put into a group of administrators.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_2_1_5_credential_changes, and a test holds that.
{{ article_query('10.2.1.5') }}
