"""assessor.html: for each testing procedure of PCI DSS v4.0.1 Requirement 10, in our own words, where in the day's
folder its evidence is, with its hash, or what is not covered here.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from .html import render

ASSESSOR = "assessor.html"
_PROCEDURES = Path(__file__).parent / "testing_procedures.csv"


@dataclass(frozen=True)
class Procedure:
    """A testing procedure: `evidence` are names of files in a day's folder."""

    number: str
    asks: str
    evidence: tuple[str, ...]
    not_covered: str


@cache
def procedures() -> tuple[Procedure, ...]:
    """Every testing procedure of 10.1 to 10.7, in order."""
    with _PROCEDURES.open(encoding="utf-8", newline="") as file:
        return tuple(
            Procedure(row["procedure"], row["asks"], tuple(row["evidence"].split()), row["not_covered"])
            for row in csv.DictReader(file)
        )


def assessor(day: date, state: str, folder: Path) -> bytes:
    """The page for the evidence that lies in the folder; a file that is not there is said to be absent."""
    named = sorted({name for procedure in procedures() for name in procedure.evidence})
    return render(
        "assessor.html",
        "page.css",
        day=day,
        state=state,
        procedures=procedures(),
        hashes={name: _sha256(folder / name) for name in named},
    )


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
