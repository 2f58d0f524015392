"""Reads a day's sealed evidence back, to show it."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from ..common.errors import Fault, UsageError
from .chain import MANIFEST
from .history import Day
from .manifest import Manifest, State
from .store import EvidenceError, EvidenceStore

csv.field_size_limit(1 << 30)  # a log may have a field of a megabyte


Row = dict[str, str]


def read_day(store: EvidenceStore, day: Day) -> tuple[list[Row], dict[str, Iterator[Row]]]:
    """The last review of the day: the rows of daily_review.csv and, by requirement, those of the findings' CSV files,
    which are read when they are gone through.

    Raises UsageError where there is none, EvidenceError where it was altered.
    """
    check_as_sealed(store, day)
    if day.manifest is None:
        raise UsageError(f"{day.run_date}: there is no sealed review ({day.state})")
    folder = day.manifest.record.folder
    review: list[Row] = []
    if day.manifest.conclusion.state is not State.FAILED:
        review = list(rows_of_file(store, f"{folder}/daily_review.csv"))
    findings = {
        row["requirement"]: rows_of_file(store, f"{folder}/findings/{row['requirement']}.csv") for row in review
    }
    return review, findings


def check_as_sealed(store: EvidenceStore, day: Day) -> None:
    """Raises EvidenceError where the day's last review is not as it was sealed."""
    if fault := day.fault or (day.manifest and next(iter(file_faults(store, day.manifest, store.keys())), None)):
        raise EvidenceError(f"evidence: not as it was sealed: {fault.where} {fault.text}")


def file_faults(store: EvidenceStore, manifest: Manifest, keys: list[str]) -> list[Fault]:
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


def read_file(store: EvidenceStore, manifest: Manifest, name: str) -> bytes:
    """The bytes of a file of a sealed run. Raises EvidenceError where they are not those that were sealed."""
    path = f"{manifest.record.folder}/{name}"
    if name not in manifest.files:
        raise EvidenceError(f"evidence: {path} is not in the manifest")
    data = store.read(path)
    if hashlib.sha256(data).hexdigest() != manifest.files[name][1]:
        raise EvidenceError(f"evidence: {path} was changed after it was sealed; run pci-log-review verify")
    return data


def read_run(store: EvidenceStore, manifest: Manifest) -> dict[str, Any]:
    """What run.json says. Raises EvidenceError, or ValueError where it can't be read."""
    content: dict[str, Any] = json.loads(read_file(store, manifest, "run.json"))
    return content


def read_counts(store: EvidenceStore, manifest: Manifest) -> tuple[dict[str, int], dict[str, int]]:
    """The findings and the unexpected ones of each requirement, as daily_review.csv has them. Raises EvidenceError, or
    KeyError or ValueError where it can't be read.
    """
    lines = read_file(store, manifest, "daily_review.csv").decode().splitlines()
    rows = [row for row in csv.DictReader(lines) if row["result"] != "no logs"]
    found = {row["requirement"]: int(row["findings"]) for row in rows}
    return found, {row["requirement"]: int(row["unexpected_findings"]) for row in rows}


def rows_of_file(store: EvidenceStore, key: str) -> Iterator[Row]:
    """The rows of a CSV file, one after the other. Raises EvidenceError."""
    yield from csv.DictReader(line.decode() for line in store.lines(key))
