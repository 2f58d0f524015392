"""assessor.html: for each testing procedure of PCI DSS v4.0.1 Requirement 10, in our own words, where in the day's
folder its evidence is, with its hash, or what is not covered here.
"""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from ..evidence.chain import MANIFEST
from ..evidence.manifest import Conclusion
from .html import render
from .lateness import Lateness

ASSESSOR = "assessor.html"
SIGN_OFFS = "../"  # the day's folder, in which each sign-off lies beside the folder of the run
_PROCEDURES = Path(__file__).parent / "testing_procedures.csv"


@dataclass(frozen=True)
class Procedure:
    """A testing procedure: `evidence` are names of files in a day's folder, or SIGN_OFFS."""

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


def assessor(conclusion: Conclusion, reviewed: datetime, folder: Path) -> bytes:
    """The page for the evidence that lies in the folder; a file that is not there is said to be absent. `reviewed` is
    when the run began.
    """
    models = _models(folder)
    named = {name for procedure in procedures() for name in procedure.evidence} - {SIGN_OFFS}
    named |= {f"sql/{model}.sql" for model in models.values()}
    return render(
        "assessor.html",
        "page.css",
        day=conclusion.run_date,
        conclusion=conclusion,
        reviewed=Lateness.of(conclusion.run_date, reviewed),
        procedures=procedures(),
        hashes={name: _sha256(folder / name) for name in sorted(named)},
        models={f"findings/{name}.csv": model for name, model in models.items()},
        files={path.name for path in folder.iterdir() if path.is_file()} | {ASSESSOR, MANIFEST},
        page=ASSESSOR,
    )


def _models(folder: Path) -> dict[str, str]:
    """The model of each requirement, as the day's table names it."""
    if not (folder / "daily_review.csv").is_file():
        return {}
    with (folder / "daily_review.csv").open(encoding="utf-8", newline="") as file:
        return {row["requirement"]: row["model"] for row in csv.DictReader(file) if row.get("model")}


def _sha256(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
