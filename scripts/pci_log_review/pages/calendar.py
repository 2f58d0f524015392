"""The calendar of all days: in the terminal runs of equal days are one line; index.html has a month at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ..evidence.chain import time_of
from ..evidence.history import Day
from ..evidence.manifest import State
from .lateness import Lateness


def equal_days(days: Iterable[Day]) -> list[list[Day]]:
    """The days in their order, those that follow each other and have nothing that tells them apart put together."""
    runs: list[list[Day]] = []
    for day in days:
        is_next = runs and runs[-1][-1].run_date + timedelta(1) == day.run_date
        if is_next and _looks(runs[-1][-1]) == _looks(day):
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs


def unexpected(day: Day) -> str:
    """The number of unexpected findings; empty, or `no logs`, if nothing could be counted."""
    if day.manifest is None or day.manifest.conclusion.state is State.FAILED:
        return ""
    counted = day.manifest.conclusion.unexpected_findings
    return str(sum(counted.values())) if counted else "no logs"


def reviewed(day: Day) -> Lateness | None:
    """When the day's last review ran; None where there is none."""
    return None if day.manifest is None else Lateness.of(day.run_date, time_of(day.manifest.record.id))


def signed_late(day: Day) -> Lateness | None:
    """When the day was signed; None where it was not, or where the signature has no time."""
    try:
        time = datetime.fromisoformat(day.signature.signed) if day.signature else None
    except ValueError:
        return None
    return Lateness.of(day.run_date, time) if time and time.tzinfo else None


def signed(day: Day) -> str:
    """Who signed the day, and when; empty where there is nothing to sign."""
    if day.signature is None:
        return "" if day.manifest is None else "not signed"
    late = signed_late(day)
    told = f"{day.signature.reviewer}, {day.signature.signed}"
    told += f", {late.told}" if late and late.is_late else ""
    return f"STALE, the day was run again: {told}" if day.signature.is_stale else told


def _looks(day: Day) -> tuple[object, ...]:
    signature = day.signature
    late = [it and it.is_late for it in (reviewed(day), signed_late(day))]
    return day.state, unexpected(day), day.fault, signature and (signature.reviewer, signature.is_stale), late
