"""Where the pages lie: a day's is sealed with it, or written from what was sealed; the calendar lies over all days."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path

from ..common.errors import UsageError
from ..evidence.chain import INDEX, MANIFEST, Record, proven_records, time_of
from ..evidence.history import Day, history
from ..evidence.manifest import Conclusion, Manifest, State, read_manifest
from ..evidence.sealed import check_as_sealed, rows_of_file
from ..evidence.store import EvidenceError, EvidenceStore
from .assessor import ASSESSOR, assessor
from .calendar import signed
from .folding import Row
from .html import unwritten
from .index import index
from .novelty import SEEN, Seen, read_seen
from .report import NAME, Material, report

Trend = dict[date, dict[str, tuple[int, int]]]
_LOOKED_AT = 120  # records, newest first: a few of each of the days before
_BEFORE = timedelta(days=30)
_OPTIONAL = (SEEN, "expected_lines.csv")  # an earlier version did not write them


def with_pages(
    folder: Path,
    conclusion: Conclusion,
    reviewed: datetime,
    trend: Callable[[], Mapping[date, Mapping[str, tuple[int, int]]]],
) -> Conclusion:
    """Writes the day's pages into its folder, to be sealed with the other files, from what lies there; `reviewed` is
    when the run began, as the folder's name has it.

    Where that fails, whatever the logs hold, the day is reviewed all the same; the conclusion then has a note on it.
    """
    try:
        files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        files |= {NAME, MANIFEST}  # a run that failed has no evidence to lead to
        files |= set() if conclusion.state is State.FAILED else {ASSESSOR}
        page = Material(conclusion, partial(_rows, folder), reviewed, frozenset(files), trend())
        (folder / NAME).write_bytes(report(page))
        if ASSESSOR in files:
            (folder / ASSESSOR).write_bytes(assessor(conclusion, reviewed, folder))
    except Exception as error:
        why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        (folder / NAME).unlink(missing_ok=True)
        return replace(conclusion, notes=[*conclusion.notes, unwritten(NAME, why)])
    return conclusion


def _rows(folder: Path, name: str) -> Iterator[Row]:
    if name in _OPTIONAL and not (folder / name).exists():
        return
    with (folder / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def trend_before(store: EvidenceStore, known: list[Record], day: date) -> Trend:
    """The findings and the unexpected ones by requirement, of the last review of each day of the month before: of those
    among the newest records, which are what the end of the chain vouches for. `known` are the records of the evidence.
    """
    found: Trend = {}
    for record, data in islice(proven_records(store, known), _LOOKED_AT):
        if record.kind != "run" or record.run_date in found or not day - _BEFORE < record.run_date < day:
            continue
        try:
            conclusion = read_manifest(record, data).conclusion
        except EvidenceError:
            continue
        if conclusion.state is not State.FAILED:
            unexpected = conclusion.unexpected_findings
            found[record.run_date] = {name: (count, unexpected[name]) for name, count in conclusion.findings.items()}
    return found


def report_of(store: EvidenceStore, day: Day, known: list[Record]) -> bytes:
    """The page of a sealed day, from its sealed evidence alone. Raises UsageError where there is none, EvidenceError
    where it was altered.
    """
    check_as_sealed(store, day)
    manifest = day.manifest
    if manifest is None:
        raise UsageError(f"{day.run_date}: there is no sealed review ({day.state})")
    sealed = (
        f"the one that is: {manifest.record.folder}/{NAME}" if NAME in manifest.files else "the day has none that is"
    )
    written = (
        f"This page is not sealed ({sealed}). pci-log-review {version('pci-log-review')} wrote it on "
        f"{datetime.now(UTC):%Y-%m-%d at %H:%M} UTC from the sealed evidence of {manifest.record.folder}, whose "
        f"manifest has the SHA-256 {manifest.sha256}."
    )
    rows = partial(_sealed_rows, store, manifest)
    trend = trend_before(store, known, day.run_date)
    told = f"{signed(day)}." if day.signature and day.signature.is_stale else "Not signed."
    told = f"Signed by {signed(day)}." if day.is_signed else told
    try:
        reviewed = time_of(manifest.record.id)
        return report(Material(manifest.conclusion, rows, reviewed, trend=trend, written=written, signed=told))
    except ValueError as error:
        raise EvidenceError(f"evidence: {manifest.record.folder}: {error}") from error


def _sealed_rows(store: EvidenceStore, manifest: Manifest, name: str) -> Iterator[Row]:
    if name in manifest.files or name not in _OPTIONAL:
        yield from rows_of_file(store, f"{manifest.record.folder}/{name}")


def seen_before(store: EvidenceStore, day: Day) -> Seen:
    """What the sealed evidence of the day says was seen before it. Raises EvidenceError."""
    return read_seen(_sealed_rows(store, day.manifest, SEEN) if day.manifest else [])


def write_index(store: EvidenceStore, last: date) -> None:
    """Writes the calendar of all days up to the last. Raises EvidenceError."""
    store.write(INDEX, index(history(store, None, last), last))
