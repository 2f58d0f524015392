-- The article's query for PCI DSS v3.2.1 10.2.4: which sign-ins to the console failed.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_2_1_4_invalid_access_attempts, and a test holds that.
{{ article_query('10.2.1.4') }}
