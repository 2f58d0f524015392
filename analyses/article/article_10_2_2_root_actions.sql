-- The article's query for PCI DSS v3.2.1 10.2.2: what was done in a session that root issued.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_2_1_2_administrative_actions, and a test holds that.
{{ article_query('10.2.1.2') }}
