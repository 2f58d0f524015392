"""Reads CSV files that have been checked: settings, as they lie there or were sealed, and the catalogue's seeds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

Row = dict[str, str]  # cells by column


def read_rows(path: Path) -> list[Row]:
    """The lines of a file, in its order. Raises OSError."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rows_in(content: str) -> list[Row]:
    """The same of a file's content, with or without a byte order mark."""
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))
