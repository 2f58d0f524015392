"""What the evidence knows of each day: how its last review ended, who signed it, and which days are due."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from ..common.clock import CLOUDTRAIL_BEGAN, days
from .chain import Record, read_record, records
from .manifest import Manifest, State, read_manifest
from .store import EvidenceError, EvidenceStore

PARALLEL_READS = 8


@dataclass(frozen=True)
class Signature:
    """The last sign-off of a day; it is stale where the day was reviewed again afterwards."""

    reviewer: str
    signed: str
    is_stale: bool


@dataclass(frozen=True)
class Day:
    """A day as the evidence has it; `manifest` is None where no review was sealed or it is damaged."""

    run_date: date
    runs: int
    manifest: Manifest | None
    signature: Signature | None

    @property
    def state(self) -> str:
        """complete, incomplete, failed, missing, or damaged."""
        if self.manifest:
            return self.manifest.conclusion.state.value
        return "damaged" if self.runs else "missing"

    @property
    def is_signed(self) -> bool:
        """Whether a person has signed the day's last review."""
        return self.signature is not None and not self.signature.is_stale

    @property
    def is_due(self) -> bool:
        """Whether the day has to be reviewed (again). An incomplete day that a person signed has not."""
        if self.state == State.COMPLETE:
            return False
        return not (self.state == State.INCOMPLETE and self.is_signed)


def first_due(store: EvidenceStore, known: list[Record]) -> date | None:
    """The first day that has to be reviewed, as the last of these records that can be read remembers it; None where
    only days were reviewed that somebody named.

    Before runs remembered it, it was the first day that was ever reviewed.
    """
    for record in reversed(known):
        if record.kind == "run":
            try:
                content = read_record(store, record.path)
                since = content["since"]
                return None if since is None else max(date.fromisoformat(since), CLOUDTRAIL_BEGAN)
            except EvidenceError:
                continue  # verify says what is wrong with it
            except (KeyError, TypeError, ValueError):
                break
    return min((record.run_date for record in known if record.run_date >= CLOUDTRAIL_BEGAN), default=None)


def history(store: EvidenceStore, first: date | None, last: date) -> list[Day]:
    """Every day from the first to the last, in order; without a first, every day that was ever reviewed, and all from
    the first that has to be.
    """
    known = records(store.keys())
    begin = first or first_due(store, known)
    chosen = set(days(begin, last)) if begin else set()
    if first is None:
        chosen |= {record.run_date for record in known if CLOUDTRAIL_BEGAN <= record.run_date <= last}
    by_day: dict[date, list[Record]] = {}
    for record in known:
        by_day.setdefault(record.run_date, []).append(record)
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        return list(pool.map(lambda day: _day(store, day, by_day.get(day, [])), sorted(chosen)))


@dataclass(frozen=True)
class Due:
    """The days to review now, oldest first, and how many are left for the next run; `since` is the first day that has
    to be reviewed, where it is known.
    """

    days: list[date]
    left: int
    since: date | None = None


def due_days(store: EvidenceStore, since: date | None, last: date, at_most: int) -> Due:
    """The days that are due: each from the first that has to be reviewed to `last` that has no complete review. Where
    they are too many, the last day itself is among them, and days never reviewed go before those to be tried again:
    neither a long backlog nor a day whose logs are lost for good keeps the newest waiting.

    The first is what the evidence remembers or, where it is earlier or the evidence remembers none, `since`; else it is
    `last`. So a person can widen what is due, and nobody can narrow it.
    """
    first = earliest(since, first_due(store, records(store.keys()))) or last
    due = [day for day in history(store, first, last) if day.is_due]
    waiting = sorted(due, key=lambda day: (day.runs > 0, day.run_date))
    newest = [day for day in waiting if day.run_date == last and not day.runs]
    chosen = [*newest, *(day for day in waiting if day not in newest)][:at_most]
    return Due(sorted(day.run_date for day in chosen), len(due) - len(chosen), first)


def earliest(*known: date | None) -> date | None:
    """The earliest of the days that are known."""
    return min((day for day in known if day), default=None)


def _day(store: EvidenceStore, run_date: date, known: list[Record]) -> Day:
    runs = [record for record in known if record.kind == "run"]
    manifest = None
    if runs:
        try:
            manifest = read_manifest(store, runs[-1])
        except EvidenceError:
            manifest = None  # verify says what is wrong with it; the day is due again
    signed = [record for record in known if record.kind == "sign-off"]
    return Day(run_date, len(runs), manifest, _signature(store, signed[-1], manifest) if signed else None)


def _signature(store: EvidenceStore, record: Record, manifest: Manifest | None) -> Signature | None:
    try:
        content = read_record(store, record.path)
    except EvidenceError:
        return None  # verify says what is wrong with it
    signs = content.get("manifest")
    is_current = manifest is not None and isinstance(signs, dict) and signs.get("sha256") == manifest.sha256
    return Signature(str(content.get("reviewer")), str(content.get("signed")), not is_current)
