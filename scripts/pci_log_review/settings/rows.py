"""Reads CSV files that have been checked: settings, as they lie there or were sealed, and the catalogue's seeds."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ..common.files import read_regular

Row = dict[str, str]  # cells by column


def read_rows(path: Path) -> list[Row]:
    """The lines of a file, in its order. Raises OSError, also where it is not a regular file."""
    return rows_in(read_regular(path).decode())


def rows_in(content: str) -> list[Row]:
    """The same of a file's content, with or without a byte order mark."""
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))
