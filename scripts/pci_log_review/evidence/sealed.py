"""Reads a day's sealed evidence back, to show it."""

from __future__ import annotations

import csv
import io

from ..common.errors import UsageError
from .history import Day
from .manifest import Conclusion, State
from .store import EvidenceError, EvidenceStore
from .verify import altered

SHOWN_IN_MESSAGES = 20
csv.field_size_limit(1 << 30)  # a log may have a field of a megabyte


Row = dict[str, str]


def read_day(store: EvidenceStore, day: Day) -> tuple[list[Row], dict[str, list[Row]]]:
    """The last review of the day: the rows of daily_review.csv and, by requirement, those of the findings' CSV files.

    Raises UsageError where there is none, EvidenceError where it was altered.
    """
    if day.manifest is None:
        raise UsageError(f"{day.run_date}: there is no sealed review ({day.state})")
    if fault := altered(store, day.manifest):
        raise EvidenceError(f"evidence: not as it was sealed: {fault.where} {fault.text}")
    folder = day.manifest.record.folder
    review: list[Row] = []
    if day.manifest.conclusion.state is not State.FAILED:
        review = _rows(store, f"{folder}/daily_review.csv")
    findings = {
        row["requirement"]: _unexpected_first(_rows(store, f"{folder}/findings/{row['requirement']}.csv"))
        for row in review
    }
    return review, findings


def finding_details(store: EvidenceStore, evidence: str, conclusion: Conclusion) -> list[str]:
    """A sentence for each of the first unexpected findings of a day that was just sealed in the folder `evidence`."""
    folder = evidence.removeprefix(f"{store.where.rstrip('/')}/")
    lines = []
    for requirement, count in conclusion.unexpected_findings.items():
        if count:
            rows = _unexpected_first(_rows(store, f"{folder}/findings/{requirement}.csv"))[:count]
            lines += [f"{requirement}: {row['detail']}" for row in rows]
    rest = len(lines) - SHOWN_IN_MESSAGES
    return [*lines[:SHOWN_IN_MESSAGES], *([f"… and {rest} more"] if rest > 0 else [])]


def _rows(store: EvidenceStore, key: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(store.read(key).decode("utf-8"), newline="")))


def _unexpected_first(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: row["is_expected"] == "true")
