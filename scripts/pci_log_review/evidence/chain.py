"""The chain of evidence: every sealed run and every sign-off names the record before it by the hash of its bytes.

    <evidence>/<run date>/<run id>/manifest.json          seals the files of one run
    <evidence>/<run date>/sign-off-<id>.json              a person's review of one run
    <evidence>/latest.json                                names the last record, which nothing else would name

Ids begin with the time (UTC, to the second), and a record is always later than the one before it, so their order is
that of the chain.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from .store import EvidenceError, EvidenceStore

LATEST = "latest.json"
MANIFEST = "manifest.json"
_ID = r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}"
_RECORD = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/(?:({_ID})/{re.escape(MANIFEST)}|sign-off-({_ID})\.json)")
_RUN_FOLDER = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}/{_ID})/")
_TIME = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Link:
    """Names a record: its key in the evidence, and the SHA-256 of its bytes in hex."""

    path: str
    sha256: str


@dataclass(frozen=True, order=True)
class Record:
    """A record by its name alone."""

    id: str
    path: str
    run_date: date
    kind: Literal["run", "sign-off"]

    @property
    def folder(self) -> str:
        """The folder of a run."""
        return self.path.rpartition("/")[0]


def records(keys: list[str]) -> list[Record]:
    """The records among the keys of the evidence, in the order in which they were made.

    A name without a time, or with one in the future, is not that of a record; verify reports it.
    """
    latest = f"{datetime.now(UTC) + timedelta(days=1):{_TIME}}"
    found = []
    for key in keys:
        if match := _RECORD.fullmatch(key):
            day, run, sign_off = match.groups()
            record = Record(run or sign_off, key, date.min, "run" if run else "sign-off")
            try:
                time_of(record.id)
                if record.id < latest:
                    found.append(replace(record, run_date=date.fromisoformat(day)))
            except ValueError:  # there is no such day, as in 2026-02-31
                continue
    return sorted(found)


def run_folder(key: str) -> str | None:
    """The run's folder that a key lies in, sealed or not; None where it lies elsewhere."""
    found = _RUN_FOLDER.match(key)
    return found[1] if found else None


def new_id(known: list[Record]) -> str:
    """An id later than those of all records, whatever the clock says."""
    now = datetime.now(UTC).replace(microsecond=0)
    if known:
        now = max(now, time_of(known[-1].id) + timedelta(seconds=1))
    return f"{now:{_TIME}}-{secrets.token_hex(4)}"


def time_of(record_id: str) -> datetime:
    """The time in the id (UTC), which is that of the record, or just after the one before. Raises ValueError."""
    return datetime.strptime(record_id.partition("-")[0], _TIME).replace(tzinfo=UTC)


def link(path: str, data: bytes) -> Link:
    """The link to a record with these bytes."""
    return Link(path, hashlib.sha256(data).hexdigest())


def to_json(content: dict[str, Any]) -> bytes:
    """How every record is encoded."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def read_record(store: EvidenceStore, path: str) -> dict[str, Any]:
    """A record's content. Raises EvidenceError where it can't be read as one."""
    return parse_record(path, store.read(path))


def parse_record(path: str, data: bytes) -> dict[str, Any]:
    """The content of the record at `path`, whose bytes are `data`. Raises EvidenceError where it is none."""
    try:
        content = json.loads(data)
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        to_json(content)  # a lone surrogate is not valid text
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"evidence: {path} is damaged: {error}; run pci-log-review verify") from error
    return content


def read_latest(data: bytes) -> Link | None:
    """The link that latest.json holds; None where the chain has no record yet. Raises EvidenceError."""
    content = parse_record(LATEST, data)
    if not {"path", "sha256"} <= content.keys():
        raise EvidenceError(f"evidence: {LATEST} is damaged: it names no record; run pci-log-review verify")
    return None if content["path"] is None else Link(str(content["path"]), str(content["sha256"]))


def begin_chain(store: EvidenceStore) -> None:
    """Writes latest.json before the first record, so that it is always there. The caller holds the lock."""
    keys = store.keys()
    if LATEST not in keys and not records(keys):
        set_latest(store, None)


def last_link(store: EvidenceStore, known: list[Record]) -> Link | None:
    """What the next record has to name.

    That is the record which latest.json names, even if somebody removed it; and latest.json itself, where that was
    removed or damaged: what is wrong then stays visible for ever, and keeps no review from being sealed. Only a run
    that was interrupted between sealing and writing latest.json leaves a record which is later still.
    """
    if LATEST not in store.keys():  # noqa: SIM118  # no dictionary
        return Link(LATEST, "") if known else None
    data = store.read(LATEST)
    try:
        named = read_latest(data)
    except EvidenceError:
        return link(LATEST, data)
    return _one_ahead(store, named, known) or named


def _one_ahead(store: EvidenceStore, named: Link | None, known: list[Record]) -> Link | None:
    """The last record, where it is the one after that which latest.json names."""
    if not known or (named and named.path == known[-1].path):
        return None
    try:
        data = store.read(known[-1].path)
        previous = read_previous(parse_record(known[-1].path, data))
        return link(known[-1].path, data) if previous == named else None
    except EvidenceError:
        return None


def named_by_the_next(store: EvidenceStore, known: list[Record], record: Record) -> Link | None:
    """How the record after this one, or latest.json, names it; None where neither does; verify reports that."""
    later = known[known.index(record) + 1 :]
    try:
        named = read_previous(read_record(store, later[0].path)) if later else read_latest(store.read(LATEST))
    except EvidenceError:
        return None
    return named if named and named.path == record.path else None


def mend_latest(store: EvidenceStore) -> None:
    """Names the last record where a run was interrupted between sealing it and naming it. The caller holds the lock."""
    known = records(store.keys())
    last = last_link(store, known)
    if known and last and last.path == known[-1].path:
        set_latest(store, last)


def read_previous(content: dict[str, Any]) -> Link | None:
    """The link to the record before, as a record has it."""
    previous = content.get("previous")
    if not isinstance(previous, dict):
        return None
    return Link(str(previous.get("path")), str(previous.get("sha256")))


def previous_as_json(previous: Link | None) -> dict[str, str] | None:
    """The link as a record writes it down."""
    return asdict(previous) if previous else None


def set_latest(store: EvidenceStore, latest: Link | None) -> None:
    """Names the last record."""
    store.write(LATEST, latest_as_json(latest))


def latest_as_json(latest: Link | None) -> bytes:
    """The bytes of latest.json."""
    return to_json(asdict(latest) if latest else {"path": None, "sha256": None})
