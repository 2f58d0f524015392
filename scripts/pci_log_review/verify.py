"""Verifies the evidence: every hash, every link of the chain, and that no day is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from .chain import LATEST, MANIFEST, Link, Record, link, read_previous, read_record, records, run_folder, to_json
from .evidence_store import EvidenceError, EvidenceStore
from .manifest import Manifest, read_manifest


@dataclass(frozen=True)
class Fault:
    """What is wrong with one file, or one day, of the evidence."""

    where: str
    text: str


@dataclass(frozen=True)
class Verified:
    """What was verified, and what is wrong; `notes` tell of what an interrupted run left, which is no evidence."""

    runs: int
    sign_offs: int
    files: int
    faults: list[Fault]
    notes: list[str]


def verify(store: EvidenceStore, first: date | None, last: date) -> Verified:
    """Verifies the runs and sign-offs of the days from `first` (default: the first there is) to `last`.

    The chain is verified from its beginning to its end, since a link leads out of the days asked for.
    """
    keys = store.keys()
    known = records(keys)
    wanted = [record for record in known if (first or date.min) <= record.run_date <= last]
    faults: list[Fault] = []
    files = 0
    for record in wanted:
        if record.kind == "run":
            found, count = _run_faults(store, record, keys)
            faults += found
            files += count
        else:
            faults += _sign_off_faults(store, record, known)
    faults += _chain_faults(store, known, keys)
    faults += _strangers(keys, known)
    if not known:
        faults.append(Fault(store.where, "no evidence at all"))
    reviewed = {record.run_date for record in known if record.kind == "run"}
    begin = first or min(reviewed, default=last)
    faults += [Fault(str(day), "no sealed review of the day") for day in days(begin, last) if day not in reviewed]
    runs = len([record for record in wanted if record.kind == "run"])
    left = store.unfinished() + _unsealed(keys, known)
    notes = [f"{folder} was left by a run that was interrupted; it is no evidence" for folder in left]
    return Verified(runs, len(wanted) - runs, files, sorted(faults, key=lambda fault: fault.where), notes)


def days(first: date, last: date) -> list[date]:
    """All days from the first to the last, both included."""
    return [first + timedelta(number) for number in range((last - first).days + 1)]


def run_faults(store: EvidenceStore, manifest: Manifest, keys: list[str]) -> list[Fault]:
    """What is wrong with the files of one sealed run."""
    folder = manifest.record.folder
    there = {key.removeprefix(f"{folder}/") for key in keys if key.startswith(f"{folder}/")} - {MANIFEST}
    faults = [Fault(f"{folder}/{name}", "is not in the manifest") for name in sorted(there - set(manifest.files))]
    for name, (size, sha256) in manifest.files.items():
        if name not in there:
            faults.append(Fault(f"{folder}/{name}", "was removed"))
            continue
        try:
            data = store.read(f"{folder}/{name}")
        except EvidenceError as error:
            faults.append(Fault(f"{folder}/{name}", str(error)))
            continue
        if (len(data), hashlib.sha256(data).hexdigest()) != (size, sha256):
            faults.append(Fault(f"{folder}/{name}", "was changed after it was sealed"))
    return faults


def _run_faults(store: EvidenceStore, record: Record, keys: list[str]) -> tuple[list[Fault], int]:
    try:
        manifest = read_manifest(store, record)
    except EvidenceError as error:
        return [Fault(record.path, str(error))], 0
    faults = run_faults(store, manifest, keys)
    if manifest.conclusion.run_date != record.run_date:
        faults.append(Fault(record.path, f"is the manifest of {manifest.conclusion.run_date}"))
    return faults, len(manifest.files)


def _sign_off_faults(store: EvidenceStore, record: Record, known: list[Record]) -> Iterator[Fault]:
    try:
        content = read_record(store, record.path)
        signed = Link(str(content["manifest"]["path"]), str(content["manifest"]["sha256"]))
    except (EvidenceError, KeyError, TypeError) as error:
        yield Fault(record.path, f"cannot be read as a sign-off: {error}")
        return
    if signed.path not in {other.path for other in known}:
        yield Fault(record.path, f"signs {signed.path}, which is not there")
    elif link(signed.path, store.read(signed.path)) != signed:
        yield Fault(record.path, f"signs {signed.path}, which was changed since")


def _chain_faults(store: EvidenceStore, known: list[Record], keys: list[str]) -> Iterator[Fault]:
    """Each record names the one before it, and latest.json names the last: what is gone is still named."""
    before: Link | None = None
    for record in known:
        try:
            data = store.read(record.path)
            named = read_previous(read_record(store, record.path))
        except EvidenceError as error:
            yield Fault(record.path, str(error))
            data, named = b"", before
        yield from _link_faults(named, before, known)
        before = link(record.path, data)
    if LATEST not in keys:
        # the very first run may have been interrupted before it wrote latest.json
        if len(known) > 1:
            yield Fault(LATEST, "was removed")
        return
    try:
        data = store.read(LATEST)
        content = read_record(store, LATEST)
        latest = Link(str(content["path"]), str(content["sha256"]))
    except (EvidenceError, KeyError) as error:
        yield Fault(LATEST, f"cannot be read: {error}")
        return
    if data != to_json(asdict(latest)):
        yield Fault(LATEST, "was changed")
    if latest != before and not _is_one_behind(store, latest, known):
        yield from _link_faults(latest, before, known) or [Fault(LATEST, "does not name the last record")]


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


def _is_one_behind(store: EvidenceStore, latest: Link, known: list[Record]) -> bool:
    """Whether a run was interrupted after sealing and before writing latest.json; the next run puts it right."""
    if not known:
        return False
    try:
        return read_previous(read_record(store, known[-1].path)) == latest
    except EvidenceError:
        return False


def _strangers(keys: list[str], known: list[Record]) -> list[Fault]:
    """Files that belong to no run: nobody vouches for them."""
    own = {record.path for record in known} | {LATEST}
    return [Fault(key, "belongs to no run") for key in keys if key not in own and not run_folder(key)]


def _unsealed(keys: list[str], known: list[Record]) -> list[str]:
    """Folders of runs that were interrupted before the manifest was written, as they can be left on S3."""
    sealed = {record.folder for record in known if record.kind == "run"}
    return sorted({folder for key in keys if (folder := run_folder(key)) and folder not in sealed})
