"""What is new (PCI DSS 10.4.1.1, a baseline of what is normal): what an actor did, from where and in which region, that
the findings of the days reviewed before do not have. It ranks what is read, and hides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .folding import Row

SEEN = "seen_before.csv"
_SHOWN = 3

Actor = tuple[str, str, str]


@dataclass
class Seen:
    """What was seen in so many days before; by actor and by event, origin or region, the first day of each value."""

    days: int = 0
    first: dict[tuple[Actor, str], dict[str, str]] = field(default_factory=dict)

    def since(self, actor: Actor, event: str) -> str:
        """The day on which the actor's call was first seen; empty where it was not."""
        return self.first.get((actor, "event"), {}).get(event, "")

    @property
    def told(self) -> str:
        """What `new` is measured by."""
        if not self.days:
            return "No day was reviewed in the 90 days before, so nothing can be told to be new."
        days = f"the {self.days} days" if self.days > 1 else "the one day"
        return (
            f"What is marked as new was not seen, of that actor, in the findings of {days} reviewed in the 90 before."
        )

    def new(self, actor: Actor, event: str, origins: Iterable[str], regions: Iterable[str]) -> tuple[str, ...]:
        """What is new: the actor, or of this actor the call, an origin or a region; nothing where no day before was
        reviewed.
        """
        if not self.days:
            return ()
        if not any((actor, what) in self.first for what in ("event", "origin", "region")):
            return ("the actor",)
        found = [] if self.since(actor, event) else ["the call"]
        for what, values in (("origin", origins), ("region", regions)):
            known = self.first.get((actor, what), {})
            unseen = sorted({value for value in values if value not in known})
            if unseen:
                rest = f" and {len(unseen) - _SHOWN} more" if len(unseen) > _SHOWN else ""
                names = ", ".join(value or "not recorded" for value in unseen[:_SHOWN])
                found.append(f"{what} {names}{rest}")
        return tuple(found)


def actor_key(row: Row) -> Actor:
    """The actor as the rows of SEEN name it."""
    return tuple(row.get(name) or "" for name in ("principal_kind", "principal_account_id", "principal_name"))  # type: ignore[return-value]


def event_key(row: Row) -> str:
    """The call as the rows of SEEN name it."""
    return f"{row.get('event_source') or ''} {row.get('event_name') or ''}"


def read_seen(rows: Iterable[Row]) -> Seen:
    """The baseline from the rows of SEEN; none where a day's evidence lacks them."""
    seen = Seen()
    for row in rows:
        if row["what"] == "days":
            seen.days = int(row["value"])
        else:
            seen.first.setdefault((actor_key(row), row["what"]), {})[row["value"]] = row["since"]
    return seen
