"""Reads sign-offs back: which of them count, and what is wrong with those that no sign-off command has written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from .chain import Record, is_time_of, link, parse_record
from .manifest import FORMAT, Manifest, State, read_manifest
from .store import EvidenceError


class Verdict(StrEnum):
    """What the reviewer decided about the unexpected findings of a requirement."""

    EXPECTED = "expected"
    INCIDENT = "incident"
    FOLLOW_UP = "follow-up"


@dataclass(frozen=True)
class Signature:
    """The last sign-off of a day; it is stale where the day was reviewed again afterwards."""

    reviewer: str
    signed: str
    is_stale: bool


def is_visible(text: str) -> bool:
    """Whether there is a letter or a digit in the text, and not only characters that show as nothing."""
    return any(unicodedata.category(char)[0] in "LN" and "FILLER" not in unicodedata.name(char, "") for char in text)


def sign_off_faults(record: Record, known: list[Record], contents: Mapping[str, bytes]) -> list[str]:
    """What is wrong with a sign-off; `known` are all records, and `contents` their bytes by path."""
    if record.path not in contents:
        return []  # that it can't be read is a fault of the chain
    try:
        content = parse_record(record.path, contents[record.path])
        return list(_faults(record, content, known, contents))
    except (EvidenceError, KeyError, TypeError, ValueError, AttributeError) as error:
        why = error if isinstance(error, (EvidenceError, ValueError)) else repr(error)
        return [f"cannot be read as a sign-off: {why}"]


def signature_of(record: Record, known: list[Record], contents: Mapping[str, bytes]) -> Signature | None:
    """The signature of a sign-off; None where something is wrong with it, as verify says."""
    if record.path not in contents or sign_off_faults(record, known, contents):
        return None
    content = parse_record(record.path, contents[record.path])
    last = [run for run in known if run.kind == "run" and run.run_date == record.run_date][-1]
    return Signature(content["reviewer"], content["signed"], content["manifest"]["path"] != last.path)


def _faults(
    record: Record, content: dict[str, Any], known: list[Record], contents: Mapping[str, bytes]
) -> Iterator[str]:
    if content["format"] not in range(1, FORMAT + 1):
        yield f"is of format {content['format']!r}, which this version does not know"
        return
    if content["kind"] != "sign-off" or date.fromisoformat(content["run_date"]) != record.run_date:
        yield f"is a {content['kind']} of {content['run_date']}"
    if not is_time_of(record, content["signed"]):
        yield f"says that it was signed at {content['signed']}, which is not the time in its name"
    has_text = is_visible if content["format"] > 1 else str.strip
    if not has_text(content["reviewer"]):
        yield "names no reviewer"
    if content["format"] > 1:
        yield from (f"does not say which {name} signed" for name in ("os_user", "host") if not content["by"][name])
    runs = [run for run in known if run.kind == "run" and run.run_date == record.run_date and run < record]
    path, sha256 = content["manifest"]["path"], content["manifest"]["sha256"]
    if path not in {run.path for run in runs}:
        yield f"signs {path}, which is not a run of its day before it"
        return
    if path != runs[-1].path:
        yield f"signs {path}, after which the day was run again before it"
    signed = next(run for run in runs if run.path == path)
    if signed.path not in contents or link(signed.path, contents[signed.path]).sha256 != sha256:
        yield f"signs {path}, which was changed since"
        return
    yield from _undecided(content, read_manifest(signed, contents[path]), has_text)


def _undecided(content: dict[str, Any], manifest: Manifest, has_text: Any) -> Iterator[str]:
    """What the sign-off does not say of the run that it signs."""
    state = manifest.conclusion.state
    if content["state"] != state or state is State.FAILED:
        yield f"is of a day that is {content['state']}, but the run is {state}"
    if state is not State.COMPLETE and not has_text(content["reason"] or ""):
        yield f"gives no reason, though the day is {state}"
    counts = manifest.conclusion.unexpected_findings
    decided: set[str] = set()
    for decision in content["decisions"]:
        name = decision["requirement"]
        Verdict(decision["decision"])
        if name in decided or counts.get(name) != decision["unexpected_findings"] or not has_text(decision["note"]):
            yield f"has a decision on {name} that does not fit the run"
        decided.add(name)
    if undecided := [name for name, count in counts.items() if count and name not in decided]:
        yield f"has no decision on {', '.join(undecided)}"
