"""index.html: every day at a glance, a month beside the other, and the way to each day's page."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from ..evidence.history import Day
from .assessor import ASSESSOR
from .calendar import equal_days, reviewed, signed, signed_late, unexpected
from .catalog import CATALOG
from .html import counted, render
from .report import NAME

_MARKS = {"complete": "✓", "incomplete": "!", "failed": "✕", "damaged": "≠", "missing": "\u2013"}
_TREND_DAYS = 90
_SHOWN_RUNS = 200


@dataclass(frozen=True)
class Cell:
    """A day in its month: `href` leads to its page, where it has one."""

    day: Day
    mark: str
    late: str
    sign: str
    found: str
    href: str
    told: str


def index(days: list[Day], last: date) -> bytes:
    """The page of these days, in order; the last day over was `last`."""
    last_page = next((day for day in reversed(days) if NAME in _files(day)), None)
    states = [day.state for day in days]
    return render(
        "index.html",
        "page.css",
        states=[(state, states.count(state)) for state in _MARKS if state in states],
        unsigned=sum(
            1 for day in days if day.manifest and not day.is_signed and day.state in ("complete", "incomplete")
        ),
        months=_months(days)[::-1],
        runs=[_run(run) for run in equal_days(days)[::-1]][:_SHOWN_RUNS],
        last_page=last_page,
        pages=_pages,
        counted=counted,
        trend=_trend(days),
        last=last,
        written=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        marks=_MARKS,
        href=_href,
    )


@dataclass(frozen=True)
class Month:
    """A month with its weeks; or months that follow each other in which no day was reviewed, with their number of
    days.
    """

    name: str
    weeks: list[list[Cell | int | None]]
    missing: int = 0


def _months(days: list[Day]) -> list[Month]:
    found: list[Month] = []
    by_month = groupby(days, key=lambda day: (day.run_date.year, day.run_date.month))
    for is_missing, alike in groupby(
        [(month, list(of_month)) for month, of_month in by_month],
        key=lambda it: all(day.state == "missing" for day in it[1]),
    ):
        several = list(alike)
        names = [f"{calendar.month_name[month]} {year}" for (year, month), _ in several]
        if is_missing:
            name = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
            found.append(Month(name, [], sum(len(of_month) for _, of_month in several)))
        else:
            found += [Month(name, _weeks(*month, of)) for name, (month, of) in zip(names, several, strict=True)]
    return found


@dataclass(frozen=True)
class Run:
    """Days that follow each other and are alike: `when` tells when they were reviewed, as many days later."""

    first: Day
    last: Day
    count: int
    found: str
    when: str
    is_late: bool
    signed: str
    is_signed_late: bool


def _run(run: list[Day]) -> Run:
    first, last = run[0], run[-1]
    late = [it for day in run if (it := reviewed(day))]
    when = ""
    if late:
        least, longest = min(late, key=lambda it: it.days), max(late, key=lambda it: it.days)
        when = f"{late[0].time:%Y-%m-%d %H:%M}, {late[0].told}" if len(run) == 1 else least.told
        when += f" to {longest.told}" if least.days != longest.days else ""
    by = signed(first) if signed(first) == signed(last) else f"{signed(first)} to {signed(last)}"
    is_late = any(it.is_late for it in late)
    is_signed_late = any(it.is_late for day in run if (it := signed_late(day)))
    return Run(first, last, len(run), unexpected(first), when, is_late, by, is_signed_late)


def _files(day: Day) -> Mapping[str, object]:
    return day.manifest.files if day.manifest else {}


def _pages(day: Day) -> list[tuple[str, str]]:
    """The day's pages by name, and where each lies."""
    if day.manifest is None:
        return []
    folder = day.manifest.record.folder
    found = [
        (name.removesuffix(".html"), f"{folder}/{name}") for name in (NAME, ASSESSOR, CATALOG) if name in _files(day)
    ]
    return [*found, ("records", f"{day.run_date}/")]


def _weeks(year: int, month: int, days: list[Day]) -> list[list[Cell | int | None]]:
    """Weeks from Monday to Sunday; a number where the day is not one that the evidence has to have."""
    known = {day.run_date.day: day for day in days}
    return [
        [(_cell(known[number]) if number in known else number or None) for number in week]
        for week in calendar.Calendar().monthdayscalendar(year, month)
    ]


def _cell(day: Day) -> Cell:
    sign = "" if day.signature is None else ("stale" if day.signature.is_stale else "signed")
    by = signed_late(day)
    sign += " late" if by and by.is_late else ""
    found = unexpected(day)
    told = f"{day.run_date}: {day.state}" + (f", {found} unexpected" if found.isdigit() else "")
    late = reviewed(day)
    told += f", reviewed {late.told}" if late else ""
    when = f"+{late.days}d" if late and late.is_late else ""
    told += f", {signed(day)}" if signed(day) else ""
    return Cell(day, _MARKS[day.state], when, sign, found, _href(day), told)


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
