"""Verifies the evidence: every hash, every link of the chain, and that no day is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from ..common.clock import days
from ..common.errors import Fault
from .chain import INDEX, LATEST, MANIFEST, Chain, Record, damage, read_chain, run_folder
from .history import first_due
from .manifest import Manifest, State, read_manifest
from .sealed import file_faults, read_counts, read_run
from .signature import sign_off_faults
from .store import EvidenceError, EvidenceStore


@dataclass(frozen=True)
class Verified:
    """What was verified, and what is wrong; `notes` tell of what an interrupted run left, which is not evidence.
    `missing` of the faults are days without a review: what was sealed is as it was.
    """

    runs: int
    sign_offs: int
    files: int
    faults: list[Fault]
    notes: list[str]
    missing: int = 0


def verify(
    store: EvidenceStore, first: date | None, last: date | None, yesterday: date, expected: Sequence[str] = ()
) -> Verified:
    """Verifies the runs and sign-offs of the days from `first` (default: the first there is) to `last` (default:
    `yesterday`, or the last there is). A day may be missing before the first that has to be reviewed.

    The chain is verified from its beginning to its end, since a link leads out of the days asked for. `expected` are
    hashes of records, kept elsewhere, that have to be in it: whoever rewrites all of the chain can't rewrite those.
    """
    chain = read_chain(store)
    known, keys = chain.known, store.keys()
    reviewed = {record.run_date for record in known if record.kind == "run"}
    begin = first or min(reviewed, default=yesterday)
    end = last or max([yesterday, *(record.run_date for record in known)])
    wanted = [record for record in known if begin <= record.run_date <= end]
    faults: list[Fault] = [] if known else [Fault(store.where, "no evidence at all")]
    files = 0
    for record in wanted:
        if record.kind == "run":
            found, count = _run_faults(store, chain, record, keys)
            faults += found
            files += count
        else:
            faults += [Fault(record.path, text) for text in sign_off_faults(record, known, chain.contents)]
    faults += chain.faults
    faults += _unmet(chain, expected)
    strangers, notes = _strangers(store, keys, known)
    faults += strangers
    needed = first or first_due(chain)
    due = days(needed, min(end, yesterday)) if needed else []
    missing = list(_missing([day for day in due if day not in reviewed]))
    faults = sorted({*faults, *missing}, key=lambda fault: fault.where)
    runs = len([record for record in wanted if record.kind == "run"])
    return Verified(runs, len(wanted) - runs, files, faults, notes, len(missing))


def _missing(missing: list[date]) -> Iterator[Fault]:
    """A line for each day without a review, or for days that follow each other."""
    for _, following in groupby(enumerate(missing), key=lambda it: it[1].toordinal() - it[0]):
        run = [day for _, day in following]
        if len(run) == 1:
            yield Fault(str(run[0]), "no sealed review of the day")
        else:
            yield Fault(f"{run[0]} to {run[-1]}", f"no sealed review of these {len(run)} days")


def _run_faults(store: EvidenceStore, chain: Chain, record: Record, keys: list[str]) -> tuple[list[Fault], int]:
    if record.path not in chain.contents:
        return [], 0  # that it can't be read is a fault of the chain
    try:
        manifest = read_manifest(record, chain.contents[record.path])
    except EvidenceError as error:
        return [damage(record.path, error)], 0
    faults = file_faults(store, manifest, keys)
    return faults or list(_contradictions(store, manifest)), len(manifest.files)


def _contradictions(store: EvidenceStore, manifest: Manifest) -> Iterator[Fault]:
    """Where the manifest says something else of the day than the files that it seals."""
    path, conclusion = manifest.record.path, manifest.conclusion
    says = {"run_date": str(conclusion.run_date), "state": conclusion.state.value, "gaps": conclusion.gaps}
    try:
        about = read_run(store, manifest)
        if other := [name for name, value in says.items() if about.get(name) != value]:
            yield Fault(path, f"has another {', '.join(other)} than run.json")
        if conclusion.state is not State.FAILED and read_counts(store, manifest) != (
            conclusion.findings,
            conclusion.unexpected_findings,
        ):
            yield Fault(path, "has other numbers of findings than daily_review.csv")
    except (EvidenceError, KeyError, ValueError, AttributeError, RecursionError) as error:
        yield Fault(path, f"cannot be compared with its files: {error!r}")


def _unmet(chain: Chain, expected: Sequence[str]) -> Iterator[Fault]:
    there = {hashlib.sha256(data).hexdigest() for data in chain.contents.values()}
    for sha256 in expected:
        if sha256 not in there:
            yield Fault(sha256, "no record has this hash: what it was told of was rewritten or removed")


def _strangers(store: EvidenceStore, keys: list[str], known: list[Record]) -> tuple[list[Fault], list[str]]:
    """Files that belong to no sealed run, as faults; and what interrupted runs left, as notes."""
    own = {record.path for record in known} | {LATEST, INDEX}
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
    told = [f"{INDEX} is not sealed: status tells what the records say"] if INDEX in keys else []
    return faults, [*told, *(f"{name} {note}" for name in sorted(left))]
