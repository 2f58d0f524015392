"""Compares the lines of the catalogue and the settings: what is no longer reviewed, and what is newly expected."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..settings.checks import COMPARED
from ..settings.rows import Row, read_rows
from .notices import Notice

CATALOGUE = "reviewed_events"
# A line less of these reviews less; a line more of those expects or excuses more
_REVIEWS = (CATALOGUE, "reviewed_changes", "refusal_error_codes", "aws_regions", *COMPARED)
_EXCUSES = ("expected_activity", "nothing_to_list", "settings_changes")
# What only describes a line: without it, the line does the same
_WORDS = {"title", "why", "meaning", "description", "account_name", "reason", "approved_by"}
_WORDS_OF = {"aws_regions": {"name"}}

Line = tuple[tuple[str, str], ...]  # of column and cell, but for words


def line_notices(base: Path, head: Path, settings: Path | None) -> Iterator[Notice]:
    """What changed in the lines of the catalogue and, where both projects have their own, in the settings."""
    for folder in ("seeds/catalogue", *(() if settings else ("seeds/settings",))):
        names = {path.stem for side in (base, head) for path in (side / folder).glob("*.csv")}
        for name in sorted(names):
            before, after = (_rows(side / folder / f"{name}.csv") for side in (base, head))
            yield from _changed(name, before, after)


def _rows(path: Path) -> list[Row]:
    return read_rows(path) if path.is_file() else []


def _changed(name: str, before: list[Row], after: list[Row]) -> Iterator[Notice]:
    old, new = (Counter(_line(name, row) for row in rows) for rows in (before, after))
    what = "catalogue line" if name == CATALOGUE else f"line of {name}"
    rows = {_line(name, row): row for row in (*after, *before)}
    for line in old - new:
        yield _removed(name, what, rows[line], after)
    for line in new - old:
        yield Notice(what, _named(name, rows[line]), "added", is_weaker=name in _EXCUSES)
    words = sum((Counter(map(_cells, after)) - Counter(map(_cells, before))).values()) - sum((new - old).values())
    if words > 0:
        yield Notice(what, f"{words} lines", "are worded in another way")


def _removed(name: str, what: str, row: Row, after: list[Row]) -> Notice:
    if name != CATALOGUE:
        return Notice(what, _named(name, row), "removed", is_weaker=name in _REVIEWS)
    told = f"removed; it covered: {row['title']} ({row['applies_to']}). {row['why']}"
    if covering := next((line for line in after if _covers(line, row)), None):
        return Notice(what, _named(name, row), f"removed, and covered by {_named(name, covering)}")
    event = f"{row['event_source']}/{row['event_name']}"
    return Notice(what, _named(name, row), told, is_weaker=True, approves=(row["requirement"], event))


def _covers(line: Row, removed: Row) -> bool:
    """Whether another line reviews all that a removed one did, in the same way."""
    return (
        line["requirement"] == removed["requirement"]
        and line["applies_to"] in ("always", removed["applies_to"])
        and line["flag"] == removed["flag"]
        and all(_matches(line[column], removed[column]) for column in ("event_source", "event_name"))
    )


def _matches(pattern: str, other: str) -> bool:
    """Whether a LIKE pattern matches all that another one does; in doubt it does not."""
    expression = "".join({"%": ".*", "_": "[^%]"}.get(char, re.escape(char)) for char in pattern)
    return re.fullmatch(expression, other, re.DOTALL) is not None


def _line(name: str, row: Row) -> Line:
    words = _WORDS_OF.get(name, _WORDS)
    return tuple(sorted((column, cell or "") for column, cell in row.items() if column and column not in words))


def _cells(row: Row) -> Line:
    return tuple(sorted((column, str(cell or "")) for column, cell in row.items() if column))


def _named(name: str, row: Row) -> str:
    if name == CATALOGUE:
        return f"{row['requirement']} {row['event_source']}/{row['event_name']}"
    return " ".join(cell for column, cell in row.items() if cell and column not in _WORDS_OF.get(name, _WORDS))
