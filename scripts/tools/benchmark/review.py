"""Runs the review over generated logs, tells where its time went, and checks that it found what was planted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tools.benchmark import processes
from tools.benchmark.generate import Logs
from tools.benchmark.processes import BenchmarkError, Ended
from tools.make_sample_logs import LOGS


@dataclass(frozen=True)
class Phases:
    """Seconds of the clock in which a run of one day was at what; together they are the whole run.

    dbt starts while the logs are read: `dbt_start` is what it takes longer than that. Models and tests run side by
    side: they share the build's time as their execution times are to each other.
    """

    start: float
    reading: float
    dbt_start: float
    models: float
    tests: float
    evidence: float


@dataclass(frozen=True)
class Reviewed:
    """A run of the review: what its processes took, and when each of its days was sealed."""

    process: Ended
    begun: float
    sealed: list[float]

    @property
    def days(self) -> list[float]:
        """Seconds of each day, the first from the moment on at which its review began."""
        return [end - begin for begin, end in zip([self.begun, *self.sealed], self.sealed, strict=False)]


@dataclass(frozen=True)
class Home:
    """Where runs keep their state and their evidence; a further run in it finds what dbt parsed before."""

    folder: Path

    @property
    def state(self) -> Path:
        """The tables and the lake."""
        return self.folder / "state"

    @property
    def evidence(self) -> Path:
        """The sealed days."""
        return self.folder / "evidence"


def review(logs: Logs, home: Home, days: Sequence[date] | None = None) -> Reviewed:
    """Reviews days of the logs, all if none are named, one after the other in one run of the command.

    Raises BenchmarkError where a day is not complete or its findings are not those that were planted.
    """
    home.folder.mkdir(parents=True, exist_ok=True)
    chosen = list(days or logs.shape.all_days)
    command = ["-m", "pci_log_review", "run", "--log-format", "json", "--logs", str(logs.folder)]
    command += ["--from", str(chosen[0]), "--to", str(chosen[-1]), "--settings", str(logs.settings)]
    command += ["--state", str(home.state), "--evidence", str(home.evidence)]
    if logs.public_keys:
        command += ["--public-keys", str(logs.public_keys), "--logs-copied-from", f"s3://{LOGS}"]
    ended = processes.run(command, home.folder)
    told = [(when, json.loads(line)) for when, line in ended.lines]
    sealed = [(when, event) for when, event in told if event["event"] == "reviewed"]
    if len(sealed) != len(chosen):
        raise BenchmarkError(f"{len(sealed)} days were reviewed instead of {len(chosen)}")
    for _, event in sealed:
        _check(event, logs)
    return Reviewed(ended, _first(told, "started"), [when for when, _ in sealed])


def phases(reviewed: Reviewed, home: Home) -> Phases:
    """Where the time of a run of one day went, which was the last in that home."""
    results = json.loads((home.state / "target" / "run_results.json").read_text())["results"]
    ran = [result for result in results if result["timing"]]
    begun = min(_time(timing["started_at"]) for result in ran for timing in result["timing"])
    built = max(_time(timing["completed_at"]) for result in ran for timing in result["timing"])
    tests = sum(result["execution_time"] for result in ran if result["unique_id"].startswith("test."))
    share = tests / sum(result["execution_time"] for result in ran)
    # the last that is written there before dbt builds is the inventory of what was read
    read = max(path.stat().st_mtime for path in (home.state / "lake").rglob("*") if path.is_file())
    [sealed] = reviewed.sealed
    rest = reviewed.process.ended - sealed
    return Phases(
        start=reviewed.begun - reviewed.process.begun + rest,
        reading=read - reviewed.begun,
        dbt_start=begun - read,
        models=(built - begun) * (1 - share),
        tests=(built - begun) * share,
        evidence=sealed - built,
    )


def _check(event: dict[str, Any], logs: Logs) -> None:
    """The day that the wrapper tells of, with its rows of daily_review."""
    if event["state"] != "complete":
        raise BenchmarkError(f"{event['run_date']} is {event['state']}: {event.get('gaps') or event.get('reasons')}")
    found = {row["requirement"]: row["findings"] for row in event["requirements"]}
    if found != logs.findings or event["events"] != logs.shape.events or event["log_files"] != logs.files:
        raise BenchmarkError(
            f"{event['run_date']}: {event['events']} events, {event['log_files']} files and findings {found}; "
            f"planted were {logs.shape.events} events in {logs.files} files and findings {logs.findings}"
        )
    if logs.shape.digests and not event["integrity"].startswith("integrity proven"):
        raise BenchmarkError(f"{event['run_date']}: {event['integrity']}")


def _first(told: list[tuple[float, dict[str, Any]]], name: str) -> float:
    return next(when for when, event in told if event["event"] == name)


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
