"""approved_changes.csv: which rows may vanish, or become expected, by the change that adds the line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..common import clock
from ..common.errors import Fault, UsageError
from ..settings.rows import rows_in
from .rows import BECAME_EXPECTED, VANISHED

FILE = "seeds/approved_changes.csv"
COLUMNS = ("requirement", "event", "change", "reason", "approved_by", "approved_on")
APPROVABLE = (VANISHED, BECAME_EXPECTED)


@dataclass(frozen=True)
class Approval:
    """A line: `event` is what the report calls a row, such as iam.amazonaws.com/CreateUser, or the id of one event."""

    line: int
    requirement: str
    event: str
    change: str
    approved_by: str
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason} ({self.approved_by})"


def new_approvals(base: Path, head: Path) -> list[Approval]:
    """The lines of the working tree that the base does not have: an old line approves nothing any more.

    Raises UsageError with each line that can't be read.
    """
    path = head / FILE
    if not path.is_file():
        return []
    try:
        text = path.read_text(encoding="utf-8-sig")
        known = (
            {tuple(row.values()) for row in rows_in((base / FILE).read_text(encoding="utf-8-sig"))}
            if (base / FILE).is_file()
            else set()
        )
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{FILE}: cannot be read as CSV in UTF-8: {error}") from error
    if faults := [Fault(f"{FILE}, line {number}", fault) for number, fault in _faults(rows)]:
        raise UsageError("\n".join(map(str, faults)))
    named = [(number, dict(zip(COLUMNS, cells, strict=True))) for number, cells in enumerate(rows[1:], 2)]
    return [
        Approval(number, row["requirement"], row["event"], row["change"], row["approved_by"], row["reason"])
        for number, row in named
        if tuple(row.values()) not in known
    ]


def line_for(requirement: str, event: str, change: str) -> str:
    """The line that would approve it, but for the reason, who approves it and when."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow((requirement, event, change, "", "", ""))
    return line.getvalue()


def _faults(rows: list[list[str]]) -> Iterator[tuple[int, str]]:
    if not rows or tuple(rows[0]) != COLUMNS:
        yield 1, f"write this header: {','.join(COLUMNS)}"
        return
    for number, cells in enumerate(rows[1:], 2):
        if len(cells) != len(COLUMNS):
            yield number, f"has {len(cells)} cells, but the header has {len(COLUMNS)}"
            continue
        row = dict(zip(COLUMNS, cells, strict=True))
        yield from ((number, f"{name} is empty") for name, value in row.items() if not value.strip())
        if row["change"] not in APPROVABLE:
            yield number, f"change: {row['change']!r} is not one of: {', '.join(APPROVABLE)}"
        try:
            if date.fromisoformat(row["approved_on"]) > clock.today():
                yield number, f"approved_on: {row['approved_on']} is yet to come"
        except ValueError:
            yield number, f"approved_on: {row['approved_on']!r} is not a date; write it as 2026-11-22"
