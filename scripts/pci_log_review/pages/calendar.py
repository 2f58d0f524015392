"""The calendar of all days: in the terminal runs of equal days are one line; index.html has a month at a glance."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from ..evidence.history import Day


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


def _looks(day: Day) -> tuple[object, ...]:
    counted = day.manifest.conclusion.unexpected_findings if day.manifest else None
    signature = day.signature
    return (
        day.state,
        counted is None or not counted or sum(counted.values()),
        signature and (signature.reviewer, signature.is_stale),
    )
