"""What is said of a change beside its rows: a test, a line, a contract or a description that is weaker, or other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Notice:
    """A definition that changed: `what` it is (`test`, `catalogue line` …), its name, and what became of it.

    `is_weaker` where it holds, reviews or says less than before. `approves` names the requirement and the event of a
    control that was taken away altogether, which has to be approved like a row that vanished.
    """

    what: str
    name: str
    change: str
    is_weaker: bool = False
    approves: tuple[str, str] | None = None
