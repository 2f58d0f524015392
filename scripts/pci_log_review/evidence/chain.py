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
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from ..common.errors import Fault
from .store import EvidenceError, EvidenceStore

PARALLEL_READS = 8
LATEST = "latest.json"
INDEX = "index.html"  # a page for people over all days, written anew by each run and sign-off: no record, not sealed
VERIFY = "; run pci-log-review verify"
MANIFEST = "manifest.json"
_ID = r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}"
_RECORD = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/(?:({_ID})/{re.escape(MANIFEST)}|sign-off-({_ID})\.json)")
_RUN_FOLDER = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}/{_ID})/")
_CLOCKS_DIFFER = timedelta(hours=1)
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


def now_or(record_id: str) -> str:
    """The time for what a record says of itself: now, or that in its id, where the clock has gone back since."""
    return max(datetime.now(UTC), time_of(record_id)).isoformat(timespec="seconds")


def is_time_of(record: Record, text: object) -> bool:
    """Whether a record may have been made at a time, as it says: not before the time in its name, but for clocks of two
    machines that differ; a sign-off also not long after it. Raises ValueError or TypeError where the text is no time.
    """
    if not isinstance(text, str):
        raise TypeError(f"{text!r} is not a time")
    after = datetime.fromisoformat(text) - time_of(record.id)
    return after >= -_CLOCKS_DIFFER and (record.kind == "run" or after <= _CLOCKS_DIFFER)


def link(path: str, data: bytes) -> Link:
    """The link to a record with these bytes."""
    return Link(path, hashlib.sha256(data).hexdigest())


def to_json(content: dict[str, Any]) -> bytes:
    """How every record is encoded."""
    return (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode()


def parse_record(path: str, data: bytes) -> dict[str, Any]:
    """The content of the record at `path`, whose bytes are `data`. Raises EvidenceError where it is none."""
    try:
        content = json.loads(data)
        if not isinstance(content, dict):
            raise ValueError("it is not a JSON object")
        to_json(content)  # a lone surrogate is not valid text
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"evidence: {path} is damaged: {error}{VERIFY}") from error
    return content


def damage(path: str, error: EvidenceError) -> Fault:
    """The fault of a record that can't be read as one."""
    return Fault(path, str(error).removeprefix(f"evidence: {path} ").removesuffix(VERIFY))


def read_latest(data: bytes) -> Link | None:
    """The link that latest.json holds; None where the chain has no record yet. Raises EvidenceError."""
    content = parse_record(LATEST, data)
    if not {"path", "sha256"} <= content.keys():
        raise EvidenceError(f"evidence: {LATEST} is damaged: it names no record{VERIFY}")
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
        read_latest(data)
    except EvidenceError:
        return link(LATEST, data)
    return _end(lambda path: _read(store, path), data, known)


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


@dataclass(frozen=True)
class Chain:
    """The records as they were read, and what is wrong with how each names the one before it.

    `proven` are the paths of those for which the end of the chain vouches: latest.json names the last by its hash, that
    one the one before it, and so on to the first whose bytes are not those that are named. Nothing else may decide
    what is due, be shown or be signed.
    """

    known: list[Record]
    contents: Mapping[str, bytes]
    proven: frozenset[str]
    faults: list[Fault]

    def why_unproven(self, record: Record) -> Fault:
        """What keeps the end of the chain from vouching for the record."""
        own = [fault for fault in self.faults if fault.where == record.path]
        return next(iter([*own, *self.faults]), Fault(record.path, "is named by no later record"))


def read_chain(store: EvidenceStore) -> Chain:
    """Reads all records. Raises EvidenceError where the evidence can't be listed; a record that can't be read is a
    fault.
    """
    latest = _read(store, LATEST)  # before the keys: a run that ends in between may not look like tampering
    known = records(store.keys())
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        read = list(pool.map(lambda record: _read_or_why(store, record.path), known))
    contents = {record.path: data for record, data in zip(known, read, strict=True) if isinstance(data, bytes)}
    unread = [Fault(record.path, why) for record, why in zip(known, read, strict=True) if isinstance(why, str)]
    proven = frozenset(record.path for record, _ in _proven(contents.get, latest, known))
    return Chain(known, contents, proven, [*unread, *_chain_faults(contents, known, latest)])


def proven_records(store: EvidenceStore, known: list[Record]) -> Iterator[tuple[Record, bytes]]:
    """The records for which the end of the chain vouches, and their bytes, the last one first; each is read when it is
    asked for.
    """
    return _proven(lambda path: _read(store, path), _read(store, LATEST), known)


def _proven(
    read: Callable[[str], bytes | None], latest: bytes | None, known: list[Record]
) -> Iterator[tuple[Record, bytes]]:
    by_path = {record.path: record for record in known}
    named = _end(read, latest, known)
    while named and (record := by_path.pop(named.path, None)):
        data = read(named.path)
        if data is None or link(named.path, data) != named:
            return
        yield record, data
        try:
            named = read_previous(parse_record(named.path, data))
        except EvidenceError:
            return


def _end(read: Callable[[str], bytes | None], latest: bytes | None, known: list[Record]) -> Link | None:
    """The link to the last record: what latest.json names, or the one record after it, of a run that has just sealed or
    was interrupted before it wrote latest.json.
    """
    try:
        named = None if latest is None else read_latest(latest)
    except EvidenceError:
        return None
    if latest is None or not known or (named and named.path == known[-1].path):
        return named
    data = read(known[-1].path)
    return link(known[-1].path, data) if data is not None and _names(known[-1].path, data, named) else named


def _names(path: str, data: bytes, previous: Link | None) -> bool:
    try:
        return read_previous(parse_record(path, data)) == previous
    except EvidenceError:
        return False


def _chain_faults(contents: Mapping[str, bytes], known: list[Record], latest: bytes | None) -> Iterator[Fault]:
    """Each record names the one before it, and latest.json names the last: what is gone is still named."""
    before: Link | None = None
    for record in known:
        data = contents.get(record.path, b"")
        try:
            named = read_previous(parse_record(record.path, data))
        except EvidenceError as error:
            if record.path in contents:
                yield damage(record.path, error)
            named = before
        yield from _link_faults(named, before, known)
        before = link(record.path, data)
    if latest is None:
        if known:
            yield Fault(LATEST, "was removed")
        return
    try:
        named = read_latest(latest)
    except EvidenceError as error:
        yield damage(LATEST, error)
        return
    if latest != latest_as_json(named):
        yield Fault(LATEST, "was changed")
    if named != before and _end(contents.get, latest, known) == named:
        yield from _link_faults(named, before, known) or [Fault(LATEST, "does not name the last record")]


def _link_faults(named: Link | None, before: Link | None, known: list[Record]) -> list[Fault]:
    if named == before:
        return []
    if named is None:
        return [Fault(before.path if before else "", "is named by no later record: the chain begins anew after it")]
    if named.path not in {record.path for record in known}:
        return [Fault(named.path, "was removed: the chain names it")]
    if before is None or named.path != before.path:
        return [Fault(before.path if before else named.path, "does not stand in the chain where its time puts it")]
    return [Fault(named.path, "was changed after it was sealed: the chain names another hash")]


def _read(store: EvidenceStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except EvidenceError:
        return None


def _read_or_why(store: EvidenceStore, key: str) -> bytes | str:
    try:
        return store.read(key)
    except EvidenceError as error:
        return str(error)
