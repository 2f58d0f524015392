"""index.html: every day at a glance, a month beside the other, and the way to each day's page."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from ..evidence.history import Day
from .calendar import equal_days, signed, unexpected
from .html import render
from .report import NAME

_MARKS = {"complete": "✓", "incomplete": "!", "failed": "✕", "damaged": "✕", "missing": "\u2013"}
_TREND_DAYS = 90
_SHOWN_RUNS = 200


@dataclass(frozen=True)
class Cell:
    """A day in its month: `href` leads to its page, where it has one."""

    day: Day
    mark: str
    sign: str
    found: str
    href: str
    told: str


def index(days: list[Day], last: date) -> bytes:
    """The page of these days, in order; the last day over was `last`."""
    months = [
        (f"{calendar.month_name[month]} {year}", _weeks(year, month, list(of_month)))
        for (year, month), of_month in groupby(days, key=lambda day: (day.run_date.year, day.run_date.month))
    ]
    states = [day.state for day in days]
    return render(
        "index.html",
        "page.css",
        counted=[(state, states.count(state)) for state in _MARKS if state in states],
        unsigned=sum(
            1 for day in days if day.manifest and not day.is_signed and day.state in ("complete", "incomplete")
        ),
        months=months[::-1],
        runs=[(run[0], run[-1], len(run), unexpected(run[0]), signed(run[0])) for run in equal_days(days)[::-1]][
            :_SHOWN_RUNS
        ],
        trend=_trend(days),
        last=last,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        marks=_MARKS,
        href=_href,
    )


def _weeks(year: int, month: int, days: list[Day]) -> list[list[Cell | int | None]]:
    """Weeks from Monday to Sunday; a number where the day is not one that the evidence has to have."""
    known = {day.run_date.day: day for day in days}
    return [
        [(_cell(known[number]) if number in known else number or None) for number in week]
        for week in calendar.Calendar().monthdayscalendar(year, month)
    ]


def _cell(day: Day) -> Cell:
    sign = "" if day.signature is None else ("stale" if day.signature.is_stale else "signed")
    found = unexpected(day)
    told = f"{day.run_date}: {day.state}" + (f", {found} unexpected" if found.isdigit() else "")
    return Cell(day, _MARKS[day.state], sign, found, _href(day), f"{told}, {signed(day)}" if signed(day) else told)


def _href(day: Day) -> str:
    if day.manifest is None:
        return ""
    return f"{day.manifest.record.folder}/{NAME if NAME in day.manifest.files else 'manifest.json'}"


def _trend(days: list[Day]) -> list[tuple[str, list[tuple[Day, int]], int]]:
    """For each requirement the last days that were reviewed and their unexpected findings, and the most of them."""
    reviewed = [day for day in days if day.manifest][-_TREND_DAYS:]
    names = sorted({name for day in reviewed if day.manifest for name in day.manifest.conclusion.unexpected_findings})
    rows = []
    for name in names:
        counted = [
            (day, day.manifest.conclusion.unexpected_findings[name])
            for day in reviewed
            if day.manifest and name in day.manifest.conclusion.unexpected_findings
        ]
        rows.append((name, counted, max(count for _, count in counted) or 1))
    return rows
