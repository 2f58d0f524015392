"""What the commands print: text for people, or one JSON object per line for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..common.text import printable
from ..evidence.history import Day
from ..evidence.sealed import Row
from ..evidence.verify import Verified
from ..pages.calendar import equal_days, reviewed, signed, unexpected
from ..pages.grouping import Grouped
from ..review.day import Exit, Reviewed
from ..review.run import Outcome
from ..warehouse.dbt import Progress
from .findings import print_findings

_WIDTH_OF_A_FILE = 120
_LEVELS = {Exit.COMPLETE: "info", Exit.INCOMPLETE: "warning", Exit.FAILED: "error"}


class TextReporter:
    """Lines and a table for people; reasons come last."""

    def __init__(self) -> None:
        self._console = _console()
        self._status = self._console.status("")

    def started(self, run_date: date, logs: str, target: str, state: Path) -> None:
        where = f"target {target}, state {_short(str(state))}"
        self._print(f"Reviewing the logs delivered on {run_date} (UTC) in {_short(logs)}, {where}")
        if self._console.is_terminal:
            self._status.start()

    def progress(self, progress: Progress) -> None:
        counter = f"{progress.number:>3}/{progress.total}"
        self._status.update(Text(f"{counter} {printable(progress.name)}"))
        if progress.kind == "model":
            self._print(f"  {counter}  {progress.name}  {progress.status} in {progress.seconds:.1f} s")

    def reviewed(self, day: Reviewed) -> None:
        self._status.stop()
        if not day.is_failed:
            self._show(day)
            self._print(_sentence(day.conclusion.integrity))
        self._print(f"Evidence: {_short(day.evidence)}")
        if day.conclusion.not_proven:
            self._print(day.conclusion.not_proven)
        if day.is_failed:
            self._notes(day)
            self.failed("\n".join(day.conclusion.gaps))
            print("pci-log-review: the run FAILED; earlier results of the day stand", file=sys.stderr)
        elif day.conclusion.gaps:
            self._print(f"The day is INCOMPLETE (exit code {int(Exit.INCOMPLETE)}):")
            for gap in day.conclusion.gaps:
                self._print(f"  - {gap}")
        else:
            self._print("The day is reviewed and complete.")

    def ended(self, outcome: Outcome) -> None:
        if not outcome.days and not outcome.reasons:
            self._print(
                "Nothing is due: every day from --since, or the first in the evidence, up to yesterday (UTC) "
                "is reviewed and complete, or signed off."
            )
        elif len(outcome.days) > 1:
            self._print(f"{len(outcome.days)} days reviewed: {outcome.summary}")
        if outcome.left:
            self._print(f"{outcome.left} more days are due: run again, or raise --max-days")

    def failed(self, message: str) -> None:
        self._status.stop()
        for line in message.splitlines():
            print(f"pci-log-review: {printable(line)}", file=sys.stderr)

    def _show(self, day: Reviewed) -> None:
        table = _review_table(day.conclusion.run_date, "Findings", "Expected", "Tests passed")
        for line in day.requirements:
            findings = {"no logs": "no logs", "not configured": f"{line.findings}, not configured"}.get(
                line.result, str(line.findings)
            )
            table.add_row(
                line.requirement, line.asks, findings, str(line.expected), f"{line.tests_passed}/{line.tests}"
            )
        self._console.print()
        self._console.print(table, soft_wrap=False)
        self._print(
            f"Coverage: {day.regions_with_logs} of {day.regions_in_scope} accounts x regions in scope have logs; "
            f"{day.log_files:,} log files, {day.events:,} events"
        )
        self._notes(day)

    def _notes(self, day: Reviewed) -> None:
        for note in day.notes:
            self._print(f"Note: {note}")

    def _print(self, text: str) -> None:
        self._console.print(Text(printable(text)))


def _short(place: str) -> str:
    """A place as a person would name it from here: relative, if it lies below the working folder."""
    here, path = Path.cwd(), Path(place)
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else place


class JsonReporter:
    """One JSON object per line, on standard output: `time` (UTC, ISO 8601), `level`, `event`, and what it tells.

    `level` is debug, info, warning (of an incomplete day) or error; without `debug`, no progress is told.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self._debug = debug

    def started(self, run_date: date, logs: str, target: str, state: Path) -> None:
        self._print("info", "started", run_date=str(run_date), logs=logs, target=target, state=str(state))

    def progress(self, progress: Progress) -> None:
        if self._debug:
            self._print("debug", "progress", **asdict(progress))

    def reviewed(self, day: Reviewed) -> None:
        found = asdict(day)
        conclusion = found.pop("conclusion")
        sealed = {"evidence": found["evidence"], "manifest_sha256": found["manifest_sha256"]}
        self._print(
            _LEVELS[day.exit],
            "reviewed",
            run_date=str(conclusion["run_date"]),
            exit=int(day.exit),
            state=conclusion["state"],
            integrity=conclusion["integrity"],
            not_proven=conclusion["not_proven"],
            notes=conclusion["notes"],
            **(sealed | {"reasons": conclusion["gaps"]} if day.is_failed else found | {"gaps": conclusion["gaps"]}),
        )

    def ended(self, outcome: Outcome) -> None:
        self._print(
            _LEVELS[outcome.exit], "ended", exit=int(outcome.exit), days=len(outcome.days), days_left=outcome.left
        )

    def failed(self, message: str) -> None:
        self._print("error", "failed", reasons=message.splitlines())

    def _print(self, level: str, event: str, **fields: Any) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        print(json.dumps({"time": now, "level": level, "event": event, **fields}, default=str), flush=True)


def print_status(days: Iterable[Day]) -> None:
    """A calendar of days: the state of each day's review, how long after the day it ran, and who signed it off; equal
    days are one line."""
    table = Table("Day", "Review", title_justify="left")
    table.add_column("Days later", justify="right")
    table.add_column("Unexpected findings", justify="right")
    table.add_column("Signed by")
    for run in equal_days(days):
        first, last = run[0], run[-1]
        when = str(first.run_date)
        if first is not last:
            when = f"{first.run_date} to {last.run_date} ({len(run)} days)"
        by = signed(first) if signed(first) == signed(last) else f"{signed(first)} to {signed(last)}"
        table.add_row(when, first.state, _days_later(run), unexpected(first), Text(printable(by)))
    console = _console()
    if table.rows:
        console.print(table, soft_wrap=False)
    else:
        console.print("No day has been reviewed yet.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _days_later(run: list[Day]) -> str:
    """How many days after its day the review ran; of several days, the fewest and the most."""
    later = [it.days for it in map(reviewed, run) if it]
    if not later:
        return ""
    fewest, most = min(later), max(later)
    return str(most) if fewest == most else f"{fewest} to {most}"


def print_day(day: Day, evidence: str, review: list[Row], grouped: Grouped) -> None:
    """A day's table, and its findings, the gravest first.

    `review` is what read_day returns; `evidence` is where all evidence is kept.
    """
    where = f"{evidence.rstrip('/')}/{day.manifest.record.folder}" if day.manifest else evidence
    console = _console()
    table = _review_table(day.run_date, "Result", "Findings", "Unexpected")
    for row in review:
        cells = (row[name] for name in ("requirement", "asks", "result", "findings", "unexpected_findings"))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    if review:
        console.print(table, soft_wrap=False)

    def tell(text: str) -> None:
        console.print(Text(printable(text)))

    print_findings(grouped, where, tell)
    manifest = day.manifest
    if manifest:
        if manifest.conclusion.integrity:
            tell(_sentence(manifest.conclusion.integrity))
        if manifest.conclusion.not_proven:
            tell(manifest.conclusion.not_proven)
        for note in manifest.conclusion.notes:
            tell(f"Note: {note}")
        for gap in manifest.conclusion.gaps:
            tell(f"  - {gap}")
        tell(f"The review is {day.state}; {signed(day) or 'not signed'}")
        tell(f"Evidence: {where} (manifest {manifest.sha256})")


def print_verified(verified: Verified) -> None:
    """What was verified, and one line per fault."""
    console = _console()
    for note in verified.notes:
        console.print(Text(printable(f"Note: {note}")))
    counted = f"{verified.runs} runs, {verified.sign_offs} sign-offs, {verified.files} files"
    if not verified.faults:
        console.print(Text(f"Verified: {counted}; everything is as it was sealed, and no day is missing."))
        return
    is_whole = verified.missing == len(verified.faults)
    told = "Everything is as it was sealed, but days have no review" if is_whole else "NOT as it was sealed"
    console.print(Text(f"Verified: {counted}. {told}:"))
    for fault in verified.faults:
        console.print(Text(printable(f"  - {fault.where}: {fault.text}")))


def _review_table(run_date: date, *headings: str) -> Table:
    """The table of a day's requirements, without rows yet."""
    table = Table(title=f"PCI DSS log review of {run_date}", title_justify="left", title_style="bold")
    table.add_column("Requirement", no_wrap=True)
    table.add_column("Asks for")
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _console() -> Console:
    console = Console(highlight=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_FILE
    return console
