"""Athena on this machine: the real dbt-athena adapter runs against it, and a real Trino executes the queries."""
