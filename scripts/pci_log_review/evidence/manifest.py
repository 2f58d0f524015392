"""A run's manifest: what was reviewed, how it ended, and the hash of every file of its evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from .chain import MANIFEST, Link, Record, parse_record, previous_as_json, to_json
from .store import EvidenceError, EvidenceStore

# 2: has the notes, and the hashes of what was used of the project
FORMAT = 2


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
            "sealed": datetime.now(UTC).isoformat(timespec="seconds"),
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


def read_manifest(store: EvidenceStore, record: Record) -> Manifest:
    """The manifest of a sealed run. Raises EvidenceError where it can't be read as one."""
    data = store.read(record.path)
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
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EvidenceError(f"evidence: {record.path} is damaged: {error!r}; run pci-log-review verify") from error
    return Manifest(record, hashlib.sha256(data).hexdigest(), conclusion, files)


def _counts(value: dict[str, Any]) -> dict[str, int]:
    return {str(requirement): _count(count) for requirement, count in value.items()}


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value
