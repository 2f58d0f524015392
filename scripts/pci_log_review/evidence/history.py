"""What the evidence knows of each day: how its last review ended, who signed it, and which days are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ..common.clock import CLOUDTRAIL_BEGAN, days
from ..common.errors import Fault
from .chain import Chain, Record, damage, link, parse_record, read_chain
from .manifest import Manifest, State, read_manifest
from .signature import Signature, signature_of
from .store import EvidenceError, EvidenceStore


@dataclass(frozen=True)
class Day:
    """A day as the evidence has it; `manifest` is None where no review was sealed, or where its last one is not to be
    trusted: then `fault` says why. `earlier` are the hashes of the manifests of the reviews before the last.
    """

    run_date: date
    runs: int
    manifest: Manifest | None
    signature: Signature | None
    fault: Fault | None = None
    earlier: frozenset[str] = frozenset()

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


def first_due(chain: Chain) -> date | None:
    """The first day that has to be reviewed, as the last record that is proven remembers it; None where only days were
    reviewed that somebody named. What the chain does not vouch for can make it earlier, and never later.
    """
    runs = [record for record in chain.known if record.kind == "run"]
    proven = [record for record in runs if record.path in chain.proven]
    remembered = [_remembered(chain, record) for record in [*proven[-1:], *(it for it in runs if it not in proven)]]
    return earliest(*remembered)


def _remembered(chain: Chain, record: Record) -> date | None:
    """The first day that had to be reviewed at a run; its own day where it does not say, as once."""
    try:
        since = parse_record(record.path, chain.contents[record.path])["since"]
        return None if since is None else max(date.fromisoformat(since), CLOUDTRAIL_BEGAN)
    except (EvidenceError, KeyError, TypeError, ValueError):
        return record.run_date if record.run_date >= CLOUDTRAIL_BEGAN else None


def history(store: EvidenceStore, first: date | None, last: date) -> list[Day]:
    """Every day from the first to the last, in order; without a first, every day that was ever reviewed, and all from
    the first that has to be.
    """
    return history_of(read_chain(store), first, last)


def history_of(chain: Chain, first: date | None, last: date) -> list[Day]:
    """The same of records that were read."""
    begin = first or first_due(chain)
    chosen = set(days(begin, last)) if begin else set()
    if first is None:
        chosen |= {record.run_date for record in chain.known if CLOUDTRAIL_BEGAN <= record.run_date <= last}
    by_day: dict[date, list[Record]] = {}
    for record in chain.known:
        by_day.setdefault(record.run_date, []).append(record)
    return [_day(chain, day, by_day.get(day, [])) for day in sorted(chosen)]


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
    chain = read_chain(store)
    first = earliest(since, first_due(chain)) or last
    due = [day for day in history_of(chain, first, last) if day.is_due]
    waiting = sorted(due, key=lambda day: (day.runs > 0, day.run_date))
    newest = [day for day in waiting if day.run_date == last and not day.runs]
    chosen = [*newest, *(day for day in waiting if day not in newest)][:at_most]
    return Due(sorted(day.run_date for day in chosen), len(due) - len(chosen), first)


def earliest(*known: date | None) -> date | None:
    """The earliest of the days that are known."""
    return min((day for day in known if day), default=None)


def _day(chain: Chain, run_date: date, known: list[Record]) -> Day:
    """The day as its records say that the end of the chain vouches for."""
    runs = [record for record in known if record.kind == "run"]
    if not runs:
        return Day(run_date, 0, None, None)
    manifest, fault = None, None
    if runs[-1].path not in chain.proven:
        fault = chain.why_unproven(runs[-1])
    else:
        try:
            manifest = read_manifest(runs[-1], chain.contents[runs[-1].path])
        except EvidenceError as error:
            fault = damage(runs[-1].path, error)
    signed = [record for record in known if record.kind == "sign-off" and record.path in chain.proven]
    signature = signature_of(signed[-1], known, chain.contents) if signed else None
    earlier = frozenset(
        link(run.path, chain.contents[run.path]).sha256 for run in runs[:-1] if run.path in chain.contents
    )
    return Day(run_date, len(runs), manifest, signature, fault, earlier)
