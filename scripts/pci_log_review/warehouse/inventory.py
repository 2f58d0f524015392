"""The inventory of a day's deliveries, taken before the review; dbt's `log_files` reconciles it with what was read."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError
from pyarrow import parquet

from ..cloudtrail.deliveries import Delivery, changes, deliveries, trails
from ..cloudtrail.digest_files import Checked
from ..cloudtrail.digests import DigestCheck, Integrity, TrailDigests, check_digests
from ..cloudtrail.expected import ToProve
from ..cloudtrail.keys import KeysOf, PublicKey
from ..cloudtrail.kinds import AGGREGATED, REVIEWED
from ..cloudtrail.reader import Contents, read_log_files
from ..cloudtrail.store import LogStore, LogStoreError
from ..cloudtrail.strays import NOT_REVIEWED
from ..common.aws import is_s3, s3_place
from .lake import Scope, convert_files, whole_or_absent

if TYPE_CHECKING:
    import boto3

# Bytes. A gzip file this small may hold no records; to Athena it looks like one that nothing was read from.
_MAX_EMPTY = 200


@dataclass(frozen=True)
class InventoryFile:
    """A delivered file or, if `problem` says that it is gone, one that should be there.

    `size` is in bytes; `sha256` is of the file as delivered. A file that was not read has no `sha256` or `records`.
    """

    log_file: str
    account_id: str
    region: str
    kind: str
    size: int | None
    etag: str | None
    sha256: str | None
    records: int | None
    is_proven: bool
    problem: str | None
    integrity_fault: str | None
    covered_seconds: int | None = None


@dataclass(frozen=True)
class Inventory:
    """A day's files, and one line on what its digests prove.

    `trails` and `keys` are those of Integrity, `listed` is what the store listed before anything was read.
    """

    files: list[InventoryFile]
    integrity: str
    trails: list[TrailDigests] = field(default_factory=list)
    keys: list[tuple[PublicKey, int]] = field(default_factory=list)
    listed: list[Delivery] = field(default_factory=list)

    @property
    def unreadable(self) -> list[str]:
        """Log files that a query would fail on; one of which some records were read may be read by a query, too."""
        return [
            file.log_file
            for file in self.files
            if file.kind in REVIEWED
            and file.problem
            and file.size is not None
            and file.records is None
            and file.problem != NOT_REVIEWED  # no query looks there
        ]

    def with_problem(self, log_file: str, problem: str) -> Inventory:
        """The inventory with this problem, or the one that is known already, for a file that can't be queried."""
        files = [
            replace(file, problem=file.problem or problem, records=None) if file.log_file == log_file else file
            for file in self.files
        ]
        return replace(self, files=files)


_COLUMNS: dict[str, pa.DataType] = {
    "log_file": pa.string(),
    "account_id": pa.string(),
    "region": pa.string(),
    "kind": pa.string(),
    "size": pa.int64(),
    "etag": pa.string(),
    "sha256": pa.string(),
    "records": pa.int64(),
    "is_proven": pa.bool_(),
    "problem": pa.string(),
    "integrity_fault": pa.string(),
    "covered_seconds": pa.int64(),
}


def convert(
    store: LogStore,
    run_date: date,
    keys_of: KeysOf,
    scope: Scope,
    lake: Path,
    token: str,
    to_prove: ToProve | None = None,
) -> Inventory:
    """Lists what was delivered on `run_date` and, for the embedded target, reads each log file once, for its hash, its
    digest check and its rows in the lake.

    `keys_of` returns CloudTrail's public keys for some regions; it is called if there are digests. For the other
    parameters see convert_files. Raises LogStoreError if the logs can't be listed, OSError if the lake can't be
    written.
    """
    known = trails(store)
    delivered = deliveries(store, run_date, known)
    check = DigestCheck(store, run_date, [file for file in delivered if not file.problem], keys_of, known, to_prove)
    read = convert_files(store, delivered, run_date, scope, lake, check, token)
    return _inventory(delivered, check.integrity(), {file.log_file: file.sha256 for file in read}, {})


def list_day(store: LogStore, run_date: date, keys_of: KeysOf, to_prove: ToProve | None = None) -> Inventory:
    """Lists what was delivered on `run_date` for Athena, which reads the log files itself. Only the files that
    CloudTrail's digests cover are read here, and the smallest ones, to count their records.

    Raises LogStoreError if the logs can't be listed.
    """
    known = trails(store)
    delivered = deliveries(store, run_date, known)
    logs_and_digests = [file for file in delivered if not file.problem]
    integrity = check_digests(store, run_date, logs_and_digests, keys_of, known, to_prove)
    checked = {file.log_file for file in integrity.files}
    small = [
        file
        for file in delivered
        if file.kind in REVIEWED and not file.problem and file.log_file not in checked and file.size <= _MAX_EMPTY
    ]
    # their problems are not kept: if a query fails on a file, all files are read
    records = {file.log_file: contents.records for file, contents in _read(store, small)}
    counts = {name: len(found) for name, found in records.items() if found is not None}
    return _inventory(delivered, integrity, {}, counts)


def changed_meanwhile(inventory: Inventory, store: LogStore, run_date: date) -> list[tuple[str, str]]:
    """Log files and digests that appeared, vanished or changed since the inventory was taken, and which it was.

    A query of Athena reads the objects themselves, after they were checked: what it read is what was checked only where
    none was written in between. Raises LogStoreError if the logs can't be listed.
    """
    before, after = (
        [file for file in listed if file.kind in {*REVIEWED, "digest"}]
        for listed in (inventory.listed, deliveries(store, run_date))
    )
    return changes(before, after)


def with_unreadable_files(inventory: Inventory, store: LogStore) -> Inventory:
    """The inventory after reading every log file to find those that no engine can read.

    Raises LogStoreError if the logs can't be listed.
    """
    unknown = [file for file in inventory.files if file.kind in REVIEWED and not file.problem and file.records is None]
    files = [Delivery(file.log_file, file.account_id, file.region, file.kind, file.size or 0) for file in unknown]
    problems = {file.log_file: contents.problem for file, contents in _read(store, files) if contents.records is None}
    return replace(
        inventory,
        files=[replace(file, problem=file.problem or problems.get(file.log_file)) for file in inventory.files],
    )


def _read(store: LogStore, files: list[Delivery]) -> Iterator[tuple[Delivery, Contents]]:
    return read_log_files(store, files, is_named=lambda _: False, is_wanted=lambda _: True)


def _inventory(
    delivered: list[Delivery], integrity: Integrity, hashes: Mapping[str, str | None], counts: Mapping[str, int]
) -> Inventory:
    """`hashes` and record `counts` are used for files that no digest covers."""
    checked = {file.log_file: file for file in integrity.files}
    files = [
        _listed(file, checked.pop(file.log_file, None), hashes.get(file.log_file), counts.get(file.log_file))
        for file in delivered
    ]
    files += [_gone(file) for file in checked.values()]
    files.sort(key=lambda file: file.log_file)
    return Inventory(files, integrity.summary, integrity.trails, integrity.keys, delivered)


def write_inventory(inventory: Inventory, run_date: date, root: str, session: boto3.Session | None) -> None:
    """Writes the inventory for the source `cloudtrail.inventory`: below the lake, or dbt's s3_data_dir.

    Raises LogStoreError if it can't be written.
    """
    content = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([vars(file) for file in inventory.files], pa.schema(_COLUMNS)), content)
    if session and is_s3(root):
        place = s3_place(root)
        key = f"{place.prefix}cloudtrail_inventory/run_date={run_date}/inventory.parquet"
        try:
            session.client("s3").put_object(Bucket=place.bucket, Key=key, Body=content.getvalue())
        except (BotoCoreError, ClientError) as error:
            raise LogStoreError(f"the inventory can't be written to s3://{place.bucket}/{key}: {error}") from error
    else:
        with whole_or_absent(_partition(Path(root), run_date)) as unfinished:
            unfinished.write_bytes(content.getvalue())


def ensure_inventory(lake: Path, run_date: date) -> None:
    """Writes an empty inventory to the lake if the wrapper took none: dbt ran alone."""
    if not _partition(lake, run_date).is_file():
        write_inventory(Inventory([], ""), run_date, str(lake), None)


def _partition(lake: Path, run_date: date) -> Path:
    return lake / "inventory" / f"run_date={run_date}" / "inventory.parquet"


def _listed(file: Delivery, checked: Checked | None, sha256: str | None, records: int | None) -> InventoryFile:
    return InventoryFile(
        file.log_file,
        file.account_id,
        file.region,
        file.kind,
        file.size,
        file.etag,
        checked.sha256 if checked else sha256,
        checked.records if checked else records,
        checked.is_proven if checked else False,
        file.problem or (checked.problem if checked else None) or (AGGREGATED if file.kind == "aggregated" else None),
        checked.fault if checked else None,
        checked.covered_seconds if checked else None,
    )


def _gone(file: Checked) -> InventoryFile:
    where = (file.log_file, file.account_id, file.region, file.kind)
    # a log file that is gone can't be reviewed; a digest that is gone no longer proves anything
    problem, fault = (file.fault, None) if file.kind in REVIEWED else (None, file.fault)
    return InventoryFile(*where, None, None, None, None, is_proven=False, problem=problem, integrity_fault=fault)
