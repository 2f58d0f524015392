"""How long after a day it was reviewed and signed: PCI DSS 10.4.1 wants its logs reviewed at least daily."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime


@dataclass(frozen=True)
class Lateness:
    """When something was done about a day (UTC), and how many days after it; the day after is as early as can be."""

    time: datetime
    days: int

    @classmethod
    def of(cls, day: date, time: datetime) -> Lateness:
        """The lateness of what was done at a time, which has a zone."""
        utc = time.astimezone(UTC)
        return cls(utc, (utc.date() - day).days)

    @property
    def is_late(self) -> bool:
        """Whether it was done later than on the day after."""
        return self.days > 1

    @property
    def told(self) -> str:
        """`262 days after the day`."""
        if self.days < 1:
            return "before the day was over" if self.days == 0 else "before the day began"
        return "the day after" if self.days == 1 else f"{self.days} days after the day"
