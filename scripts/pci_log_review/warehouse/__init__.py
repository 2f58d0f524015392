"""The tables: dbt, its profile and its two engines."""
