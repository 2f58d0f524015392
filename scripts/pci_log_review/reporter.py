"""What a run tells while it works and when it ends: for people, or one JSON object a line for machines."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .dbt_run import Progress
from .review import Exit, Review

_WIDTH_OF_A_FILE = 120


class Reporter(Protocol):
    """Where a run's messages go."""

    def started(self, run_date: date, logs: str, target: str) -> None:
        """A day's review begins."""

    def progress(self, progress: Progress) -> None:
        """A seed, model or test has ended."""

    def reviewed(self, run_date: date, review: Review) -> None:
        """The day's review has ended."""

    def failed(self, message: str, code: Exit) -> None:
        """Nothing was reviewed; `message` has one line for each reason."""


def printable(text: str) -> str:
    """The text without the characters that a terminal would obey: whoever writes a log may have put them there."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


class TextReporter:
    """Lines and a table for people; reasons come last."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        if not self._console.is_terminal:
            self._console.width = _WIDTH_OF_A_FILE
        self._status = self._console.status("")

    def started(self, run_date: date, logs: str, target: str) -> None:
        self._print(f"Reviewing the logs delivered on {run_date} (UTC) in {logs}, target {target}")
        if self._console.is_terminal:
            self._status.start()

    def progress(self, progress: Progress) -> None:
        counter = f"{progress.number:>3}/{progress.total}"
        self._status.update(Text(f"{counter} {printable(progress.name)}"))
        if progress.kind == "model":
            self._print(f"  {counter}  {progress.name}  {progress.status} in {progress.seconds:.1f} s")

    def reviewed(self, run_date: date, review: Review) -> None:
        self._status.stop()
        table = Table(title=f"PCI DSS log review of {run_date}", title_justify="left", title_style="bold")
        table.add_column("Requirement", no_wrap=True)
        table.add_column("Asks for")
        for heading in ("Findings", "Expected", "Tests passed"):
            table.add_column(heading, justify="right")
        for line in review.requirements:
            findings = str(line.findings) if line.result != "no logs" else "no logs"
            table.add_row(
                line.requirement, line.asks, findings, str(line.expected), f"{line.tests_passed}/{line.tests}"
            )
        self._console.print()
        self._console.print(table, soft_wrap=False)
        self._print(
            f"Coverage: {review.regions_with_logs} of {review.regions_in_scope} accounts x regions in scope have logs; "
            f"{review.log_files:,} log files, {review.events:,} events"
        )
        for note in review.notes:
            self._print(f"Note: {note}")
        evidence, here = review.evidence, Path.cwd()
        self._print(f"Evidence: {evidence.relative_to(here) if evidence.is_relative_to(here) else evidence}")
        if review.gaps:
            self._print(f"The day is INCOMPLETE (exit code {int(Exit.INCOMPLETE)}):")
            for gap in review.gaps:
                self._print(f"  - {gap}")
        else:
            self._print("The day is reviewed and complete.")

    def failed(self, message: str, code: Exit) -> None:
        self._status.stop()
        for line in message.splitlines():
            print(f"pci-log-review: {printable(line)}", file=sys.stderr)
        if code is Exit.FAILED:
            print("pci-log-review: the run FAILED; earlier results of the day stand", file=sys.stderr)

    def _print(self, text: str) -> None:
        self._console.print(Text(printable(text)))


class JsonReporter:
    """One JSON object a line, on standard output."""

    def started(self, run_date: date, logs: str, target: str) -> None:
        self._print("started", run_date=str(run_date), logs=logs, target=target)

    def progress(self, progress: Progress) -> None:
        self._print("progress", **asdict(progress))

    def reviewed(self, run_date: date, review: Review) -> None:
        self._print("reviewed", run_date=str(run_date), exit=int(review.exit), **asdict(review))

    def failed(self, message: str, code: Exit) -> None:
        self._print("failed", exit=int(code), reasons=message.splitlines())

    def _print(self, event: str, **fields: Any) -> None:
        print(json.dumps({"event": event, **fields}, default=str), flush=True)
