"""A run of the wrapper: the days that are due, one after the other, under the lock, and one message at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol

from .chain import begin_chain, mend_latest
from .clock import days
from .dbt_run import Progress
from .evidence_folder import FolderEvidence
from .evidence_store import EvidenceError, EvidenceStore
from .history import Due
from .notify import DayOutcome
from .project import RunOptions
from .review import Exit, Sealed, review_day


@dataclass(frozen=True)
class Outcome:
    """What a run came to: its exit code is that of its worst day. `reasons` say why it ended early."""

    sealed: list[Sealed]
    left: int
    reasons: list[str]

    @property
    def exit(self) -> Exit:
        """1 where a day failed, else 3 where one is incomplete, else 0."""
        if self.reasons:
            return Exit.FAILED
        exits = {sealed.exit for sealed in self.sealed}
        return next((code for code in (Exit.FAILED, Exit.INCOMPLETE) if code in exits), Exit.COMPLETE)

    @property
    def summary(self) -> str:
        """The outcome in a few words."""
        if self.reasons:
            return "FAILED"
        if not self.sealed:
            return "nothing is due"
        states = [sealed.conclusion.state.value for sealed in self.sealed]
        counts = {state: states.count(state) for state in ("failed", "incomplete", "complete")}
        if len(states) == 1:
            return states[0].upper() if states[0] != "complete" else "complete"
        return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


class Reporter(Protocol):
    """Where a run's messages go."""

    def started(self, run_date: date, logs: str, target: str) -> None:
        """A day's review begins."""

    def progress(self, progress: Progress) -> None:
        """A seed, model or test has ended."""

    def reviewed(self, run_date: date, sealed: Sealed) -> None:
        """The day's review has ended, and is sealed."""

    def ended(self, outcome: Outcome) -> None:
        """The run has ended."""

    def failed(self, message: str) -> None:
        """Something could not be done; `message` has one line for each reason."""


def run_days(
    options: RunOptions,
    store: EvidenceStore,
    due: Callable[[], Due],
    reporter: Reporter,
    done: list[Sealed],
) -> Outcome:
    """Reviews the days that are due, oldest first, and seals each; a day that fails keeps no other waiting.

    Each sealed day is added to `done`, so that it can be told however the run ends.

    Raises Locked where another run is under way, EvidenceError where the evidence can't be read or written.
    """
    state = FolderEvidence(str(options.state))  # two runs with evidence in two places share the tables
    with store.lock() as lock, state.lock() as state_lock:
        locks = tuple(fd for fd in (lock, state_lock) if fd is not None)
        store.clean()
        begin_chain(store)
        mend_latest(store)
        chosen = due()  # asked under the lock: a run that has just ended may have done them
        for day in chosen.days:
            reporter.started(day, options.logs, options.target)
            try:
                sealed = review_day(replace(options, run_date=day), store, locks, reporter.progress)
            except EvidenceError as error:  # what was sealed before is told all the same
                return Outcome(done, chosen.left + len(chosen.days) - len(done), [str(error)])
            reporter.reviewed(day, sealed)
            done.append(sealed)
        return Outcome(done, chosen.left, [])


def outcome_of_day(sealed: Sealed, details: list[str]) -> DayOutcome:
    """A day's outcome as a message tells it."""
    conclusion = sealed.conclusion
    return DayOutcome(
        run_date=str(conclusion.run_date),
        state=conclusion.state.value,
        gaps=conclusion.gaps,
        integrity=conclusion.integrity,
        unexpected_findings=conclusion.unexpected_findings,
        evidence=sealed.evidence,
        manifest_sha256=sealed.manifest_sha256,
        details=details,
    )


def all_days(first: date, last: date) -> Due:
    """Every day from the first to the last, reviewed already or not."""
    return Due(days(first, last), 0)
