"""The wrapper's clock. SQL has none: its day is the run date."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

CLOUDTRAIL_BEGAN = date(2013, 11, 13)  # no log is older


def today() -> date:
    """The current day (UTC)."""
    return datetime.now(UTC).date()


def yesterday() -> date:
    """The last day that is over (UTC): its log folders get no more files."""
    return today() - timedelta(days=1)


def days(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included."""
    return [first + timedelta(number) for number in range((last - first).days + 1)]
