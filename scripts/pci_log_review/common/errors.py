"""What may be wrong, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass


class UsageError(Exception):
    """Something that the user gave is wrong; the text is one line for each thing, ready to be shown."""


@dataclass(frozen=True)
class Fault:
    """What is wrong in one place: a file, a line of it, or a day."""

    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"
