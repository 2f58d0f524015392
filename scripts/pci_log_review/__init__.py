"""Daily PCI DSS review of AWS CloudTrail logs: the wrapper around the dbt project."""
