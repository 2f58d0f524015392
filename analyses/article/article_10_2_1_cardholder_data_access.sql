-- The article's query for PCI DSS v3.2.1 10.2.1: who read an object of a bucket with cardholder data.
-- The filter stands in macros/article/article_queries.sql. Every row that it returns is one of
-- pci_10_2_1_1_cardholder_data_access, and a test holds that.
{{ article_query('10.2.1.1') }}
