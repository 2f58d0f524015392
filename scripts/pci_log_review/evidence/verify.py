"""Verifies the evidence: every hash, every link of the chain, and that no day is missing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from ..common.clock import days
from ..common.errors import Fault
from .chain import (
    LATEST,
    MANIFEST,
    Link,
    Record,
    latest_as_json,
    link,
    named_by_the_next,
    parse_record,
    read_latest,
    read_previous,
    read_record,
    records,
    run_folder,
)
from .history import first_due
from .manifest import Manifest, read_manifest
from .store import EvidenceError, EvidenceStore

_OTHER_HASH = "was changed after it was sealed: the chain names another hash"


@dataclass(frozen=True)
class Verified:
    """What was verified, and what is wrong; `notes` tell of what an interrupted run left, which is not evidence."""

    runs: int
    sign_offs: int
    files: int
    faults: list[Fault]
    notes: list[str]


def verify(store: EvidenceStore, first: date | None, last: date | None, yesterday: date) -> Verified:
    """Verifies the runs and sign-offs of the days from `first` (default: the first there is) to `last` (default:
    `yesterday`, or the last there is). A day may be missing before the first that has to be reviewed.

    The chain is verified from its beginning to its end, since a link leads out of the days asked for.
    """
    latest = _read(store, LATEST)  # before the keys: a run that ends in between may not look like tampering
    keys = store.keys()
    known = records(keys)
    reviewed = {record.run_date for record in known if record.kind == "run"}
    begin = first or min(reviewed, default=yesterday)
    end = last or max([yesterday, *(record.run_date for record in known)])
    wanted = [record for record in known if begin <= record.run_date <= end]
    faults: list[Fault] = [] if known else [Fault(store.where, "no evidence at all")]
    files = 0
    for record in wanted:
        if record.kind == "run":
            found, count = _run_faults(store, record, keys)
            faults += found
            files += count
        else:
            faults += _sign_off_faults(store, record, known)
    faults += _chain_faults(store, known, latest)
    strangers, notes = _strangers(store, keys, known)
    faults += strangers
    needed = first or first_due(store, known)
    faults += _missing([day for day in days(needed, min(end, yesterday)) if day not in reviewed] if needed else [])
    runs = len([record for record in wanted if record.kind == "run"])
    return Verified(runs, len(wanted) - runs, files, sorted(set(faults), key=lambda fault: fault.where), notes)


def _missing(missing: list[date]) -> Iterator[Fault]:
    """A line for each day without a review, or for days that follow each other."""
    for _, following in groupby(enumerate(missing), key=lambda it: it[1].toordinal() - it[0]):
        run = [day for _, day in following]
        if len(run) == 1:
            yield Fault(str(run[0]), "no sealed review of the day")
        else:
            yield Fault(f"{run[0]} to {run[-1]}", f"no sealed review of these {len(run)} days")


def altered(store: EvidenceStore, manifest: Manifest) -> Fault | None:
    """The first thing that is wrong with a sealed run: its files, or its manifest as the record after it names it."""
    keys = store.keys()
    if faults := _file_faults(store, manifest, keys):
        return faults[0]
    named = named_by_the_next(store, records(keys), manifest.record)
    if named and named.sha256 != manifest.sha256:
        return Fault(named.path, _OTHER_HASH)
    return None


def _file_faults(store: EvidenceStore, manifest: Manifest, keys: list[str]) -> list[Fault]:
    """What is wrong with the files of one sealed run."""
    folder = manifest.record.folder
    there = {key.removeprefix(f"{folder}/") for key in keys if key.startswith(f"{folder}/")} - {MANIFEST}
    faults = [Fault(f"{folder}/{name}", "is not in the manifest") for name in sorted(there - set(manifest.files))]
    for name, (size, sha256) in manifest.files.items():
        if name not in there:
            faults.append(Fault(f"{folder}/{name}", "was removed"))
            continue
        try:
            found = store.sha256(f"{folder}/{name}", size)
        except EvidenceError as error:
            faults.append(Fault(f"{folder}/{name}", str(error)))
            continue
        if found != sha256:
            faults.append(Fault(f"{folder}/{name}", "was changed after it was sealed"))
    return faults


def _run_faults(store: EvidenceStore, record: Record, keys: list[str]) -> tuple[list[Fault], int]:
    try:
        manifest = read_manifest(store, record)
    except EvidenceError as error:
        return [Fault(record.path, str(error))], 0
    faults = _file_faults(store, manifest, keys)
    if manifest.conclusion.run_date != record.run_date:
        faults.append(Fault(record.path, f"is the manifest of {manifest.conclusion.run_date}"))
    return faults, len(manifest.files)


def _sign_off_faults(store: EvidenceStore, record: Record, known: list[Record]) -> Iterator[Fault]:
    runs = {run.path for run in known if run.kind == "run" and run.run_date == record.run_date}
    try:
        content = read_record(store, record.path)
        signed = Link(str(content["manifest"]["path"]), str(content["manifest"]["sha256"]))
        if signed.path not in runs:
            yield Fault(record.path, f"signs {signed.path}, which is not a run of its day")
        elif link(signed.path, store.read(signed.path)) != signed:
            yield Fault(record.path, f"signs {signed.path}, which was changed since")
    except (EvidenceError, KeyError, TypeError) as error:
        yield Fault(record.path, f"cannot be read as a sign-off: {error}")


def _chain_faults(store: EvidenceStore, known: list[Record], latest: bytes | None) -> Iterator[Fault]:
    """Each record names the one before it, and latest.json names the last: what is gone is still named."""
    before: Link | None = None
    for record in known:
        try:
            data = store.read(record.path)
            named = read_previous(parse_record(record.path, data))
        except EvidenceError as error:
            yield Fault(record.path, str(error))
            data, named = b"", before
        yield from _link_faults(named, before, known)
        before = link(record.path, data)
    if latest is None:
        if known:
            yield Fault(LATEST, "was removed")
        return
    try:
        named = read_latest(latest)
    except EvidenceError as error:
        yield Fault(LATEST, str(error))
        return
    if latest != latest_as_json(named):
        yield Fault(LATEST, "was changed")
    # a run that has just sealed, or was interrupted before it wrote latest.json, is one ahead
    if named != before and not (known and _previous(store, known[-1]) == named):
        yield from _link_faults(named, before, known) or [Fault(LATEST, "does not name the last record")]


def _previous(store: EvidenceStore, record: Record) -> Link | None:
    try:
        return read_previous(read_record(store, record.path))
    except EvidenceError:
        return Link(record.path, "")


def _read(store: EvidenceStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except EvidenceError:
        return None


def _link_faults(named: Link | None, before: Link | None, known: list[Record]) -> list[Fault]:
    if named == before:
        return []
    if named is None:
        return [Fault(before.path if before else "", "is named by no later record: the chain begins anew after it")]
    if named.path not in {record.path for record in known}:
        return [Fault(named.path, "was removed: the chain names it")]
    if before is None or named.path != before.path:
        return [Fault(before.path if before else named.path, "does not stand in the chain where its time puts it")]
    return [Fault(named.path, _OTHER_HASH)]


def _strangers(store: EvidenceStore, keys: list[str], known: list[Record]) -> tuple[list[Fault], list[str]]:
    """Files that belong to no sealed run, as faults; and what interrupted runs left, as notes."""
    own = {record.path for record in known} | {LATEST}
    sealed = {record.folder for record in known if record.kind == "run"}
    hidden = {
        name for name in store.unfinished() if run_folder(name) in sealed
    }  # a run hides nothing in what is sealed
    faults, left = [Fault(name, "is not in the manifest") for name in hidden], set(store.unfinished()) - hidden
    for key in keys:
        folder = run_folder(key)
        if key in own or folder in sealed:
            continue
        # in S3 a run can be interrupted before its manifest is there
        if folder and store.where.startswith("s3://") and f"{folder}/{MANIFEST}" not in keys:
            left.add(folder)
        else:
            faults.append(Fault(key, "belongs to no sealed run"))
    note = "is of a run that was interrupted, or is under way; it is not evidence"
    return faults, [f"{name} {note}" for name in sorted(left)]
