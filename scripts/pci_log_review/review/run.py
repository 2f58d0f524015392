"""A run of the wrapper: the days that are due, one after the other, under the lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from ..common import clock
from ..common.clock import days
from ..common.errors import UsageError
from ..common.files import links_below
from ..common.project import version
from ..evidence.chain import Chain, begin_chain, mend_latest, read_chain
from ..evidence.folder import FolderEvidence
from ..evidence.history import Due, earliest, first_due
from ..evidence.store import EvidenceError
from ..pages.days import write_index
from ..warehouse.dbt import Dbt, Progress
from .day import Exit, Reviewed, review_day
from .options import Run
from .state import make_state, take_state

_SHOWN_FAULTS = 3


@dataclass(frozen=True)
class Outcome:
    """The result of a run: its exit code is that of its worst day. `reasons` say why it failed as a whole: it ended
    early, or the evidence is not as it was sealed.
    """

    days: list[Reviewed]
    left: int
    reasons: list[str]

    @property
    def exit(self) -> Exit:
        """1 if a day failed, else 3 if one is incomplete, else 0."""
        if self.reasons:
            return Exit.FAILED
        exits = {day.exit for day in self.days}
        return next((code for code in (Exit.FAILED, Exit.INCOMPLETE) if code in exits), Exit.COMPLETE)

    @property
    def summary(self) -> str:
        """The outcome in a few words."""
        if self.reasons:
            return "FAILED"
        if not self.days:
            return "nothing is due"
        states = [day.conclusion.state.value for day in self.days]
        counts = {state: states.count(state) for state in ("failed", "incomplete", "complete")}
        if len(states) == 1:
            return states[0].upper() if states[0] != "complete" else "complete"
        return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


class Reporter(Protocol):
    """Where a run's messages go."""

    def started(self, run_date: date, logs: str, target: str, state: Path) -> None:
        """A day's review begins; `state` is the folder of its tables."""

    def progress(self, progress: Progress) -> None:
        """A seed, model or test has ended."""

    def reviewed(self, day: Reviewed) -> None:
        """The day's review has ended, and is sealed."""

    def ended(self, outcome: Outcome) -> None:
        """The run has ended."""

    def failed(self, message: str) -> None:
        """Something could not be done; `message` has one line per reason."""


def run_days(run: Run, due: Callable[[], Due], reporter: Reporter, done: list[Reviewed]) -> Outcome:
    """Reviews the days that are due, oldest first, and seals each; a day that fails does not hold up the others.

    Each sealed day is added to `done`, so that it can be reported however the run ends.

    Raises Locked if another run is in progress, EvidenceError if the evidence can't be read or written, UsageError if
    the state holds a link or can't be written.
    """
    store = run.evidence
    make_state(run.state)
    state = FolderEvidence(str(run.state))  # two runs with evidence in different places may share the tables
    with store.lock() as lock, state.lock() as state_lock:
        locks = tuple(fd for fd in (lock, state_lock) if fd is not None)
        store.clean()
        begin_chain(store)
        mend_latest(store)
        chosen = due()  # asked under the lock: a run that has just ended may have reviewed them
        chain = read_chain(store)
        reasons = _not_as_sealed(chain)
        if not chosen.days:
            write_index(store, clock.yesterday())
            return Outcome(done, chosen.left, reasons)
        since = earliest(chosen.since, first_due(chain))
        if links := links_below(run.state):
            raise UsageError(f"the state: {links[0]} is a link, so the review would write elsewhere")
        take_state(run.state, version())
        with Dbt(run.dbt, locks) as dbt:  # it starts while the first day's logs are read
            for run_date in chosen.days:
                reporter.started(run_date, run.logs.root, run.profile.target, run.state)
                try:
                    day = review_day(run, dbt, run_date, reporter.progress, since)
                except EvidenceError as error:  # days sealed before are still reported
                    left = chosen.left + len(chosen.days) - len(done)
                    return Outcome(done, left, [*reasons, str(error)])
                reporter.reviewed(day)
                done.append(day)
        write_index(store, clock.yesterday())
        return Outcome(done, chosen.left, reasons)


def _not_as_sealed(chain: Chain) -> list[str]:
    """Why a run failed whatever its days came to: somebody has to see it, and days are reviewed all the same."""
    told = [f"evidence: not as it was sealed: {fault.where} {fault.text}" for fault in chain.faults[:_SHOWN_FAULTS]]
    return [
        *told,
        *(["evidence: pci-log-review verify tells all; days that can't be trusted are due again"] if told else []),
    ]


def all_days(first: date, last: date, since: date | None = None) -> Due:
    """Every day from the first to the last, whether reviewed already or not."""
    return Due(days(first, last), 0, since)
