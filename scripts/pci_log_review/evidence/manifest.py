"""A run's manifest: what was reviewed, how it ended, and the hash of every file of its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from .chain import MANIFEST, VERIFY, Link, Record, is_time_of, now_or, parse_record, previous_as_json, to_json
from .store import EvidenceError

# 2: has the notes, and the hashes of what was used of the project
FORMAT = 2
# What is in the evidence of every run that did not fail
_TABLES = ("daily_review.csv", "log_coverage.csv", "log_files.csv")
_TABLES_SINCE_2 = (
    *("baseline.json", "changed_files.csv", "digests.csv", "expected_lines.csv", "public_keys.csv"),
    *("catalogue/reviewed_events.csv.gz", "settings/trail_scope.csv"),
)
_CATALOGUE = "seeds/catalogue/reviewed_events.csv"


class State(StrEnum):
    """How the review of a day ended."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    FAILED = "failed"


@dataclass(frozen=True)
class Conclusion:
    """What a run came to, as the manifest says it. Where there were no logs, nothing was counted.

    `not_proven` is a sentence on what no digests were expected to prove; empty where there is no such thing. `notes`
    are worth knowing but do not make the day incomplete.
    """

    run_date: date
    state: State
    gaps: list[str]
    integrity: str
    findings: dict[str, int]
    unexpected_findings: dict[str, int]
    not_proven: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Manifest:
    """A sealed run as it is read back."""

    record: Record
    sha256: str
    conclusion: Conclusion
    files: dict[str, tuple[int, str]]


def write_manifest(
    folder: Path,
    run_id: str,
    conclusion: Conclusion,
    previous: Link | None,
    since: date | None,
    project: Mapping[str, str],
) -> bytes:
    """Writes the manifest of all files in the folder; returns its bytes.

    `since` is the first day that has to be reviewed; None where nobody has named one. `project` has the SHA-256 of what
    was used of the project, by path: catalogue, models and macros.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    content = to_json(
        {
            "format": FORMAT,
            "kind": "run",
            "run_date": conclusion.run_date.isoformat(),
            "run_id": run_id,
            "sealed": now_or(run_id),
            "since": since.isoformat() if since else None,
            "state": conclusion.state.value,
            "gaps": conclusion.gaps,
            "integrity": conclusion.integrity,
            "not_proven": conclusion.not_proven,
            "notes": conclusion.notes,
            "findings": conclusion.findings,
            "unexpected_findings": conclusion.unexpected_findings,
            "previous": previous_as_json(previous),
            "project": dict(project),
            "files": {
                path.relative_to(folder).as_posix(): {
                    "size": path.stat().st_size,
                    "sha256": _sha256(path),
                }
                for path in files
            },
        }
    )
    (folder / MANIFEST).write_bytes(content)
    return content


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_manifest(record: Record, data: bytes) -> Manifest:
    """The manifest of a sealed run, whose bytes are `data`.

    Raises EvidenceError where it can't be read as one, contradicts its name or itself, or lacks what every run has.
    """
    content = parse_record(record.path, data)
    try:
        conclusion = Conclusion(
            run_date=date.fromisoformat(content["run_date"]),
            state=State(content["state"]),
            gaps=[str(gap) for gap in content["gaps"]],
            integrity=str(content["integrity"]),
            findings=_counts(content["findings"]),
            unexpected_findings=_counts(content["unexpected_findings"]),
            not_proven=str(content.get("not_proven", "")),  # manifests of earlier versions have none
            notes=[str(note) for note in content.get("notes", [])],
        )
        files = {str(name): (_count(file["size"]), str(file["sha256"])) for name, file in content["files"].items()}
        if fault := _contradiction(record, content, conclusion) or _lacking(content, conclusion, files):
            raise ValueError(fault)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        why = error if isinstance(error, ValueError) else repr(error)
        raise EvidenceError(f"evidence: {record.path} is damaged: {why}{VERIFY}") from error
    return Manifest(record, hashlib.sha256(data).hexdigest(), conclusion, files)


def _contradiction(record: Record, content: dict[str, Any], conclusion: Conclusion) -> str | None:
    """What in the manifest is not as a run writes it."""
    if content["format"] not in range(1, FORMAT + 1):
        return f"it is of format {content['format']!r}, which this version does not know"
    if (content["kind"], content["run_id"]) != ("run", record.id):
        return f"it is of the {content['kind']} {content['run_id']}"
    if conclusion.run_date != record.run_date:
        return f"it is the manifest of {conclusion.run_date}"
    if not is_time_of(record, content["sealed"]):
        return f"it says that it was sealed at {content['sealed']}, before its run began"
    if conclusion.state is not State.FAILED and bool(conclusion.gaps) == (conclusion.state is State.COMPLETE):
        return f"it is {conclusion.state} with {len(conclusion.gaps)} gaps"
    found, unexpected = conclusion.findings, conclusion.unexpected_findings
    if found.keys() != unexpected.keys() or any(unexpected[name] > count for name, count in found.items()):
        return "its findings and its unexpected findings do not fit together"
    return None


def _lacking(content: dict[str, Any], conclusion: Conclusion, files: dict[str, tuple[int, str]]) -> str | None:
    """What every run has and this one has not."""
    needed = {"run.json"}
    if conclusion.state is not State.FAILED:
        needed |= set(_TABLES) | {f"findings/{requirement}.csv" for requirement in conclusion.findings}
    if conclusion.state is not State.FAILED and content["format"] > 1:
        needed |= set(_TABLES_SINCE_2)
        if _CATALOGUE not in content["project"]:
            return f"it lacks the hash of {_CATALOGUE}"
    if lacking := sorted(needed - files.keys()):
        return f"it lacks {', '.join(lacking)}"
    if conclusion.state is not State.FAILED and not any(name.startswith("findings/") for name in files):
        return "it lacks every file of findings"
    return None


def _counts(value: dict[str, Any]) -> dict[str, int]:
    return {str(requirement): _count(count) for requirement, count in value.items()}


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value
