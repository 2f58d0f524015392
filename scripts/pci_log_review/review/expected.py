"""What the lines of expected_activity did to a day, as people are told it: how much they marked, which were too broad,
and which were added only after what they mark.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ..common.files import read_regular
from ..common.text import few
from ..evidence.chain import Record, proven_records
from ..evidence.manifest import read_manifest
from ..evidence.sealed import read_run
from ..evidence.store import EvidenceError, EvidenceStore
from ..settings.checks import FILES

SINCE = "expected_lines_since"  # in run.json
_SHOWN = 5
_LOOKED_AT = 20  # runs, newest first: one that failed does not say what the settings were


def lines_of(settings: Path) -> dict[str, int]:
    """The number in expected_activity.csv of each line, by the name that expected_line_id.sql gives it.

    The settings have been checked.
    """
    text = read_regular(settings / "expected_activity.csv").decode("utf-8-sig")
    with io.StringIO(text, newline="") as file:
        rows = csv.DictReader(file)
        return {_id([row[name] for name in FILES["expected_activity"]]): rows.line_num for row in rows}


def _id(cells: list[str]) -> str:
    return hashlib.sha256("\n".join(cells).encode()).hexdigest()[:12]


def lines_since(store: EvidenceStore, known: list[Record], lines: Iterable[str], today: date) -> dict[str, str | None]:
    """The day since which each line is known: as the last sealed run says, and today for a line that it did not have.

    None where nobody can tell: nothing was sealed before, or what was sealed does not say. `known` are the records of
    the evidence.
    """
    before = _sealed_before(store, known)
    if before is None:
        return dict.fromkeys(lines)
    return {line: before.get(line, today.isoformat()) for line in lines}


def _sealed_before(store: EvidenceStore, known: list[Record]) -> dict[str, str | None] | None:
    runs = ((record, data) for record, data in proven_records(store, known) if record.kind == "run")
    for record, data in islice(runs, _LOOKED_AT):
        try:
            lines = read_run(store, read_manifest(record, data))[SINCE]
            return {str(line): _day(since) for line, since in lines.items()}
        except (EvidenceError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            continue  # it failed, is of an earlier version, or damaged: verify names that
    return None


def _day(since: object) -> str | None:
    return None if since is None else date.fromisoformat(str(since)).isoformat()


def notes_of(
    rows: list[dict[str, Any]], findings: int, numbers: dict[str, int], since: dict[str, str | None]
) -> list[str]:
    """What to tell of the day's rows of expected_lines and its number of findings; empty where no line matched any
    and none had expired before the day.

    `numbers` and `since` are what lines_of and lines_since return.
    """
    return [
        *_breadth(rows, findings, numbers),
        *_shortened(_refused(rows, numbers)),
        *_shortened(_too_late(rows, numbers, since)),
        *_expired(rows, numbers),
    ]


def _breadth(rows: list[dict[str, Any]], findings: int, numbers: dict[str, int]) -> Iterator[str]:
    """How much was marked in all, and by the line that marked the largest share of its requirement."""
    marking = [row for row in rows if row["marked"]]
    if not marking:
        return
    widest = max(marking, key=lambda row: (row["marked"] / row["findings"], row["marked"]))
    lines = len({row["line_id"] for row in marking})
    yield (
        f"Expected: {sum(row['marked'] for row in marking)} of {findings} findings, by {lines} lines of "
        f"expected_activity; the broadest, {_named(widest, numbers)}, marked {widest['marked']} of "
        f"{widest['findings']} findings of {widest['requirement']}"
    )
    for row in marking:
        if row["marked_of_root"]:
            yield (
                f"Root: {_named(row, numbers)} of expected_activity marked {row['marked_of_root']} of "
                f"{row['findings_of_root']} findings of root under {row['requirement']} as expected"
            )


def _refused(rows: list[dict[str, Any]], numbers: dict[str, int]) -> Iterator[str]:
    for row in rows:
        if row["refused"]:
            yield (
                f"Too broad: {_named(row, numbers)} of expected_activity would mark {row['refused']} of "
                f"{row['findings']} findings of {row['requirement']}; it marked none. Let it name one principal, one "
                "service, and an event or a resource"
            )


def _too_late(rows: list[dict[str, Any]], numbers: dict[str, int], since: dict[str, str | None]) -> Iterator[str]:
    for row in rows:
        known, first = since.get(row["line_id"]), row["first_event"]
        if row["marked"] and known and first is not None and first.date().isoformat() < known:
            yield (
                f"Added later: {_named(row, numbers)} of expected_activity is new or changed since the review before "
                f"({known}), and marks {row['marked']} findings of {row['requirement']}, the first of {first.date()}"
            )


def _expired(rows: list[dict[str, Any]], numbers: dict[str, int]) -> Iterator[str]:
    """The lines that had expired before the day, in the order of the file."""
    lines = {row["line_id"]: row for row in rows if date.fromisoformat(row["expires_on"]) < row["run_date"]}
    in_order = sorted(lines.values(), key=lambda row: numbers.get(row["line_id"], 0))
    told = [_named(row, numbers, f"on {row['expires_on']}") for row in in_order]
    if told:
        yield f"Expired, marks nothing any more (renew it, or take it out of expected_activity): {few(told, _SHOWN)}"


def _named(row: dict[str, Any], numbers: dict[str, int], *more: str) -> str:
    number = f"line {numbers[row['line_id']]}" if row["line_id"] in numbers else "a line"
    about = ", ".join([f"{row['principal_kind']} {row['principal_name']}", *more])
    return f"{number} ({about})"


def _shortened(lines: Iterator[str]) -> list[str]:
    told = list(lines)
    rest = len(told) - _SHOWN
    return [*told[:_SHOWN], *([f"… and {rest} more, see expected_lines.csv"] if rest > 0 else [])]


def today() -> date:
    """The day on which the review runs (UTC): a line that was not there before is known since then."""
    return datetime.now(UTC).date()
