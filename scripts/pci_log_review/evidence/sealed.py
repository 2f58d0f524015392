"""Reads a day's sealed evidence back, to show it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..common.errors import UsageError
from .history import Day
from .manifest import Conclusion, State
from .store import EvidenceError, EvidenceStore
from .verify import altered

SHOWN_IN_MESSAGES = 20
csv.field_size_limit(1 << 30)  # a log may have a field of a megabyte


Row = dict[str, str]


@dataclass
class Findings:
    """The first findings of a requirement, unexpected ones first, and how many there are in all."""

    rows: list[Row] = field(default_factory=list)
    in_all: int = 0


def read_day(store: EvidenceStore, day: Day, limit: int) -> tuple[list[Row], dict[str, Findings]]:
    """The last review of the day: the rows of daily_review.csv and, by requirement, the first ones of the findings' CSV
    files, `limit` at most.

    Raises UsageError where there is none, EvidenceError where it was altered.
    """
    if day.manifest is None:
        raise UsageError(f"{day.run_date}: there is no sealed review ({day.state})")
    if fault := altered(store, day.manifest):
        raise EvidenceError(f"evidence: not as it was sealed: {fault.where} {fault.text}")
    folder = day.manifest.record.folder
    review: list[Row] = []
    if day.manifest.conclusion.state is not State.FAILED:
        review = list(_rows(store, f"{folder}/daily_review.csv"))
    findings = {
        row["requirement"]: _first(_rows(store, f"{folder}/findings/{row['requirement']}.csv"), limit) for row in review
    }
    return review, findings


def finding_details(store: EvidenceStore, evidence: str, conclusion: Conclusion) -> list[str]:
    """A sentence for each of the first unexpected findings of a day that was just sealed in the folder `evidence`."""
    folder = evidence.removeprefix(f"{store.where.rstrip('/')}/")
    lines = []
    for requirement, count in conclusion.unexpected_findings.items():
        if count:
            first = _first(_rows(store, f"{folder}/findings/{requirement}.csv"), min(count, SHOWN_IN_MESSAGES))
            lines += [f"{requirement}: {row['detail']}" for row in first.rows]
    rest = sum(conclusion.unexpected_findings.values()) - SHOWN_IN_MESSAGES
    return [*lines[:SHOWN_IN_MESSAGES], *([f"… and {rest} more"] if rest > 0 else [])]


def _rows(store: EvidenceStore, key: str) -> Iterator[Row]:
    yield from csv.DictReader(line.decode() for line in store.lines(key))


def _first(rows: Iterator[Row], limit: int) -> Findings:
    """Goes through all rows, which may be more than the memory holds, and keeps those that are to be shown."""
    unexpected, expected, in_all = list[Row](), list[Row](), 0
    for row in rows:
        in_all += 1
        kept = expected if row["is_expected"] == "true" else unexpected
        if len(kept) < limit:
            kept.append({name: row[name] for name in ("event_time", "title", "detail", "is_expected")})
    return Findings([*unexpected, *expected][:limit], in_all)
