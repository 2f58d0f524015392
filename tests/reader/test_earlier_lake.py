"""A lake in which an earlier version wrote days: what it did not know of a file is empty, and stops no later day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest
import yaml
from tests.checkout import ROOT

[SOURCE] = yaml.safe_load((ROOT / "models" / "staging" / "cloudtrail.yml").read_text())["sources"]
TABLES: dict[str, dict[str, Any]] = {table["name"]: table for table in SOURCE["tables"]}


def location(table: str, state: Path) -> str:
    """What dbt-duckdb reads as the source."""
    meta = {**SOURCE.get("config", {}).get("meta", {}), **TABLES[table].get("config", {}).get("meta", {})}
    rendered = {
        name: jinja2.Template(text).render(env_var=lambda *_: str(state))
        for name, text in meta.items()
        if isinstance(text, str)
    }
    return rendered["external_location"].format(name=table, **rendered)


@pytest.mark.parametrize("table", ["log_files", "inventory"])
def test_a_day_that_lacks_a_column_hides_it_from_no_later_day(tmp_path: Path, table: str) -> None:
    *before, added = (column["name"] for column in TABLES[table]["columns"] if column["name"] != "run_date")
    for day, columns in {"2026-03-10": before, "2026-03-11": [*before, added]}.items():
        path = tmp_path / "lake" / table / f"run_date={day}" / f"{table}.parquet"
        path.parent.mkdir(parents=True)
        values = ", ".join(f"'{column} of {day}' as {column}" for column in columns)
        duckdb.sql(f"copy (select {values}) to '{path}' (format parquet)")
    rows = duckdb.sql(f"select run_date::varchar, {added} from {location(table, tmp_path)} order by all").fetchall()
    assert rows == [("2026-03-10", None), ("2026-03-11", f"{added} of 2026-03-11")]
