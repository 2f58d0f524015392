"""The embedded target's lake: one day's log files, checked and converted into Parquet.

    <lake>/logs/run_date=<day>/logs.parquet            the day's events, columns as in the Athena table, and two more
    <lake>/log_files/run_date=<day>/log_files.parquet  every file delivered that day, and what is wrong with it

Both are always written, with no rows if nothing was delivered, and each is either complete or absent.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from ..cloudtrail.deliveries import Delivery, deliveries
from ..cloudtrail.digests import DigestCheck
from ..cloudtrail.kinds import AGGREGATED, REVIEWED
from ..cloudtrail.reader import read_log_files
from ..cloudtrail.records import Records
from ..cloudtrail.store import LogStore, open_store
from ..cloudtrail.unclear_keys import UnclearKeys
from ..common.aws import is_s3
from ..common.errors import UsageError

OUT_OF_SCOPE = "is outside trail_scope, so it was not reviewed"
BATCH_RECORDS = 1_000
BATCH_BYTES = 4 << 20  # of JSON; what DuckDB makes of it takes some ten times as much
BATCHES_AHEAD = 8
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "700MB",
    "preserve_insertion_order": "false",
}

# A row group is held in memory until it is written, whatever has been put into its fields.
_PARQUET = "format parquet, compression zstd, compression_level 1, row_group_size 20480, row_group_size_bytes '48MB'"

Fields = dict[str, "str | Fields"]
Scope = frozenset[tuple[str, str]]  # of account id and region
_MADE_BY = b"pci_log_review.made_by"

_USER_IDENTITY: Fields = {
    "type": "VARCHAR",
    "principalId": "VARCHAR",
    "arn": "VARCHAR",
    "accountId": "VARCHAR",
    "invokedBy": "VARCHAR",
    "accessKeyId": "VARCHAR",
    "userName": "VARCHAR",
    "onBehalfOf": {"userId": "VARCHAR", "identityStoreArn": "VARCHAR"},
    "sessionContext": {
        "attributes": {"mfaAuthenticated": "VARCHAR", "creationDate": "VARCHAR"},
        "sessionIssuer": {
            "type": "VARCHAR",
            "principalId": "VARCHAR",
            "arn": "VARCHAR",
            "accountId": "VARCHAR",
            "userName": "VARCHAR",
        },
        "sourceIdentity": "VARCHAR",
    },
}
# Everything else is text, whatever its type in the log, so a value of the wrong type does not become NULL.
_TEXT_FIELDS = [
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent",
    "errorCode", "errorMessage", "requestParameters", "responseElements", "additionalEventData", "requestID",
    "eventID", "readOnly", "resources", "eventType", "apiVersion", "managementEvent", "recipientAccountId",
    "serviceEventDetails", "sharedEventID", "vpcEndpointId", "eventCategory",
]  # fmt: skip
_EVENT: Fields = {"userIdentity": _USER_IDENTITY, **dict.fromkeys(_TEXT_FIELDS, "VARCHAR")}


# What the models need from JSON texts is extracted once, here, and not by each of ten models.
_TAKEN_OUT = """
    -- CloudTrail writes the keys ARN and ARNPrefix in capitals
    case
        when not json_valid(resources) then resources
        when resources not like '[%' then resources ->> 'ARN'
        -- nearly all events: one call extracts the ARNs
        when resources not ilike '%"arnprefix"%' and resources not like '%"arn"%' and resources not like '%"Arn"%'
            then nullif(array_to_string(json_extract_string(resources, '$[*].ARN'), chr(10)), '')
        else nullif(array_to_string(list_transform(
            json_extract(resources, '$[*]'),
            lambda found : coalesce(
                found ->> 'ARN', found ->> 'arn', found ->> 'Arn',
                found ->> 'ARNPrefix', found ->> 'arnprefix', found ->> 'arnPrefix', found ->> 'ARNPREFIX'
            )
        ), chr(10)), '')
    end as resourcearns,
    case
        when eventname = 'ConsoleLogin' and json_valid(additionaleventdata)
            then json_value(additionaleventdata, '$.MFAUsed') ->> '$'
    end as mfaused
"""


@dataclass(frozen=True)
class LogFile:
    """A delivered file after it was read: the columns of `cloudtrail.log_files`."""

    log_file: str
    account_id: str
    region: str
    kind: str
    size: int
    sha256: str | None
    events: int
    problem: str | None


_LOG_FILE_COLUMNS: dict[str, pa.DataType] = {
    "log_file": pa.string(),
    "account_id": pa.string(),
    "region": pa.string(),
    "kind": pa.string(),
    "size": pa.int64(),
    "sha256": pa.string(),
    "events": pa.int64(),
    "problem": pa.string(),
}
_NAME = pa.dictionary(pa.int16(), pa.string())
_RECORD_COLUMNS: dict[str, pa.DataType] = {
    "record": pa.string_view(),
    "account_id": _NAME,
    "region": _NAME,
    "log_file": _NAME,
}
_LOG_FILES, _RECORDS = map(pa.schema, (_LOG_FILE_COLUMNS, _RECORD_COLUMNS))


def lake_of(state: Path) -> Path:
    """The folder of the lake, as models/staging/cloudtrail.yml has it.

    Raises UsageError where DuckDB or dbt-duckdb would take a part of its path for something else: `name=value` for a
    column of each event, in place of what the event says; what follows ? or # for no part of the name.
    """
    if re.search(r"[=\\?#]", str(state)):
        raise UsageError(f"state: {state}: the path may have no = ? # and no backslash: name another folder")
    return state / "lake"


def convert_day(logs: str, run_date: date, scope: Scope, lake: Path) -> list[LogFile]:
    """Makes the log files delivered on `run_date` queryable when dbt runs alone; returns them all, read or not.

    `scope` holds (account id, region): other log files are listed in the result, but not read. A bad file is listed
    with its problem, and never keeps another one from being read. Raises LogStoreError if the logs can't be listed,
    OSError if the lake can't be written; an earlier partition of the day then stays as it was.
    """
    store = open_store(logs)
    return convert_files(store, deliveries(store, run_date), run_date, scope, lake)


def convert_files(
    store: LogStore,
    delivered: list[Delivery],
    run_date: date,
    scope: Scope,
    lake: Path,
    check: DigestCheck | None = None,
    token: str | None = None,
) -> list[LogFile]:
    """Does what convert_day does for the files in `delivered`.

    With `check`, each file is checked against the digests by the same bytes that become rows. Log files out of scope
    are then read, too, though not reviewed: those that digests cover and, in a folder, all of them, for their hash.
    `token` shows later that this conversion made the partition (see is_converted).
    """
    with (
        UnclearKeys() as keys,
        _database(lake) as connection,
        # on exit, the last one is renamed first: the table with the token is put in place after the events
        whole_or_absent(_log_files(lake, run_date)) as log_files,
        whole_or_absent(_logs(lake, run_date)) as events,
    ):
        files = _Reading(store, delivered, scope, check, keys)
        _write_events(connection, files, events)
        read = files.result(_insight_events(connection, events))
        table = pa.Table.from_pylist([vars(file) for file in read], _LOG_FILES)
        if token:
            table = table.replace_schema_metadata({_MADE_BY: _made_by(token, store.root, run_date, scope)})
        parquet.write_table(table, log_files)
    _remove_of_earlier_versions(lake, _logs(lake, run_date))
    return read


def _remove_of_earlier_versions(lake: Path, written: Path) -> None:
    """Removes days whose events have other columns: DuckDB takes all days' columns from the first. A day is made again
    from its log files when it is reviewed again.
    """
    columns = parquet.read_schema(written)
    for path in sorted(lake.glob("logs/run_date=*/logs.parquet")):
        if path == written or parquet.read_schema(path).equals(columns):
            return
        path.unlink()


def is_converted(logs: str, run_date: date, scope: Scope, lake: Path, token: str) -> bool:
    """Whether convert_files made the day's partition with this token, from the same logs and for the same scope.

    Each run has its own token, so an older partition can't pass for this run's.
    """
    try:
        found = parquet.read_schema(_log_files(lake, run_date)).metadata or {}
    except (OSError, pa.ArrowInvalid):
        return False
    return found.get(_MADE_BY) == _made_by(token, logs, run_date, scope) and _logs(lake, run_date).is_file()


def _made_by(token: str, logs: str, run_date: date, scope: Scope) -> bytes:
    made_by = json.dumps([token, logs, run_date.isoformat(), sorted(scope)])
    return hashlib.sha256(made_by.encode()).hexdigest().encode()


def _log_files(lake: Path, run_date: date) -> Path:
    return lake / "log_files" / f"run_date={run_date}" / "log_files.parquet"


def _logs(lake: Path, run_date: date) -> Path:
    return lake / "logs" / f"run_date={run_date}" / "logs.parquet"


@dataclass(frozen=True)
class _Piece:
    """Records of a file that go into one batch."""

    file: Delivery
    records: pa.Array[Any]


def _batches(files: Iterable[tuple[Delivery, Records]]) -> Iterator[pa.RecordBatch]:
    """The files' records in batches of a size that DuckDB has room for: the time of json_transform grows with the
    square of a batch. Small files share one, because each batch costs as much as some hundred records.
    """
    pieces: list[_Piece] = []
    records_left, bytes_left = BATCH_RECORDS, BATCH_BYTES
    for file, records in files:
        ends = np.cumsum(records.sizes)
        begin = 0
        while begin < len(records):
            before = int(ends[begin] - records.sizes[begin])
            fitting = int(np.searchsorted(ends, before + bytes_left, "right"))
            end = min(begin + records_left, fitting)
            if end <= begin and pieces:  # the next record needs a batch of its own, or a new one
                yield _batch(pieces)
                pieces, records_left, bytes_left = [], BATCH_RECORDS, BATCH_BYTES
                continue
            end = max(end, begin + 1)
            pieces.append(_Piece(file, records.arrow.slice(begin, end - begin)))
            records_left -= end - begin
            bytes_left -= int(ends[end - 1]) - before
            begin = end
    if pieces:
        yield _batch(pieces)


def _batch(pieces: list[_Piece]) -> pa.RecordBatch:
    number = np.repeat(np.arange(len(pieces), dtype=np.int16), [len(piece.records) for piece in pieces])
    names = ([getattr(piece.file, name) for piece in pieces] for name in ("account_id", "region", "log_file"))
    columns = [pa.DictionaryArray.from_arrays(number, pa.array(each, pa.string())) for each in names]
    return pa.RecordBatch.from_arrays(
        [pa.concat_arrays([piece.records for piece in pieces]), *columns], schema=_RECORDS
    )


class _Reading:
    """Reads a day's files one after the other, and keeps the results of each."""

    def __init__(
        self,
        store: LogStore,
        delivered: list[Delivery],
        scope: Scope,
        check: DigestCheck | None,
        keys: UnclearKeys,
    ) -> None:
        self._store = store
        self._keys = keys
        self._delivered = delivered
        self._scope = scope
        self._check = check
        self._sha256: dict[int, str | None] = {}
        self._events: dict[int, int] = {}
        self._problems: dict[int, str | None] = {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Every record of the files in scope, with the account, region and name of its file."""
        yield from _batches(self._files())
        for number, fault in self._keys.faults().items():
            self._problems[number] = _joined(self._problems[number], fault)

    def _files(self) -> Iterator[tuple[Delivery, Records]]:
        numbers = {file: number for number, file in enumerate(self._delivered)}
        wanted = [file for file in self._delivered if self._is_read(file)]
        for file, contents in read_log_files(self._store, wanted, self._is_covered, self._is_split):
            number = numbers[file]
            self._sha256[number] = contents.sha256
            is_proven = False
            if self._check and self._is_covered(file):
                is_proven = self._check.take(file, contents).is_proven
            if not self._is_reviewed(file):
                continue
            self._problems[number] = contents.problem
            if contents.records is not None:
                self._events[number] = len(contents.records)
                if not is_proven:  # otherwise CloudTrail itself wrote every key
                    self._keys.look_at(number, contents.records)
                yield file, contents.records

    def one_by_one(self) -> Iterator[tuple[int, Iterator[pa.RecordBatch]]]:
        """Each file with records, by its number, read once more: for a file that broke the conversion of all."""
        for number in sorted(number for number, events in self._events.items() if events):
            file = self._delivered[number]
            [(_, contents)] = read_log_files(self._store, [file], lambda _: False, lambda _: True)
            if contents.records is None or contents.sha256 != self._sha256[number]:
                self.leave_out(number, contents.problem or "was changed while it was being reviewed")
            else:
                yield number, _batches([(file, contents.records)])

    def leave_out(self, number: int, problem: str) -> None:
        """Notes that none of the file's records are reviewed."""
        self._problems[number], self._events[number] = problem, 0

    def _is_read(self, file: Delivery) -> bool:
        is_hashed = self._check is not None and not is_s3(self._store.root)
        return not file.problem and (self._is_split(file) or (is_hashed and file.kind in REVIEWED))

    def _is_split(self, file: Delivery) -> bool:
        return self._is_reviewed(file) or self._is_covered(file)

    def _is_reviewed(self, file: Delivery) -> bool:
        return file.kind in REVIEWED and self._in_scope(file)

    def _is_covered(self, file: Delivery) -> bool:
        return self._check is not None and self._check.covers(file)

    def result(self, insights: dict[str, int]) -> list[LogFile]:
        """All delivered files; `insights` are the numbers of Insight events in some, by name."""
        return [
            LogFile(
                file.log_file,
                file.account_id,
                file.region,
                file.kind,
                file.size,
                self._sha256.get(number),
                self._events.get(number, 0),
                self._problem(number, file, insights.get(file.log_file, 0)),
            )
            for number, file in enumerate(self._delivered)
        ]

    def _problem(self, number: int, file: Delivery, insights: int) -> str | None:
        if file.problem or not self._in_scope(file):
            return file.problem or OUT_OF_SCOPE
        if file.kind == "aggregated":
            return AGGREGATED
        are_no_calls = f"{insights} of its {self._events.get(number)} records are Insight events, which are no calls"
        return _joined(self._problems.get(number), are_no_calls if insights else None)

    def _in_scope(self, file: Delivery) -> bool:
        return (file.account_id, file.region) in self._scope


def _joined(*problems: str | None) -> str | None:
    return "; ".join(filter(None, problems)) or None


def _columns(fields: Fields, path: str = "") -> str:
    """SQL for the fields of `event` as the Athena table names them; an empty text or the word null becomes NULL."""
    columns = []
    for name, kind in fields.items():
        value = f"nullif(nullif(event{path}.{name}, ''), 'null')"
        if not isinstance(kind, str):
            value = f"struct_pack({_columns(kind, f'{path}.{name}')})"
        columns.append(f"{name.lower()} := {value}" if path else f"{value} as {name.lower()}")
    return ", ".join(columns)


def _names(fields: Fields) -> Iterator[str]:
    for name, kind in fields.items():
        yield name
        if not isinstance(kind, str):
            yield from _names(kind)


def _as_cloudtrail_spells(record: str | msgspec.Raw, fields: Fields) -> str:
    """The record with its field names, which may be in lower case, spelled as CloudTrail spells them."""
    spelling = {name.lower(): name for name in fields}
    given = _decode_object(record)
    event: dict[str, msgspec.Raw] = {}
    for name in sorted(given, key=lambda name: name in fields, reverse=True):
        event.setdefault(spelling.get(name.lower(), name), given[name])
    for name, kind in fields.items():
        if not isinstance(kind, str) and name in event and bytes(event[name]).startswith(b"{"):
            event[name] = msgspec.Raw(_as_cloudtrail_spells(event[name], kind))
    return msgspec.json.encode(event).decode()


_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _ReadAhead(Iterator[pa.RecordBatch]):
    """Batches for several threads, made in one of their own: reading a file must not keep the others waiting."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._ready: Queue[pa.RecordBatch | Exception] = Queue(BATCHES_AHEAD)
        self._is_over = False
        self._thread = threading.Thread(target=self._make, args=(batches,), daemon=True)
        self._thread.start()

    def _make(self, batches: Iterator[pa.RecordBatch]) -> None:
        end: Exception = StopIteration()
        try:
            for batch in batches:
                if self._is_over:
                    return
                self._ready.put(batch)
        except Exception as error:  # raised where the batches are asked for
            end = error
        self._ready.put(end)

    def __next__(self) -> pa.RecordBatch:
        batch = self._ready.get()
        if isinstance(batch, Exception):
            self._ready.put(batch)  # for the next who asks
            raise batch
        return batch

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        while self._thread.is_alive():
            with suppress(Empty):
                self._ready.get(timeout=0.1)


@contextmanager
def _database(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    # what has no room in memory lies in the lake: a database without a file would lay it into the working folder
    with duckdb.connect(config={**_CONFIG, "temp_directory": str(lake / ".unfinished")}) as connection:
        connection.create_function("respelled", lambda it: _as_cloudtrail_spells(it, _EVENT), ["VARCHAR"], "VARCHAR")
        yield connection


def _write_events(connection: duckdb.DuckDBPyConnection, files: _Reading, target: Path) -> None:
    with _ReadAhead(files.batches()) as batches:
        try:
            _convert(connection, batches, target)
        except duckdb.IOException:
            raise  # the disk is full, or can't be written: no file is at fault
        except duckdb.Error:
            for _ in batches:  # the rest is read, too, for hashes and digests
                pass
            _write_events_one_by_one(files, target)


def _write_events_one_by_one(files: _Reading, target: Path) -> None:
    """Converts each file by itself: one that DuckDB can't convert is named, and the others are reviewed."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".") as folder:
        parts = []
        for number, batches in files.one_by_one():
            part = Path(folder) / f"{number}.parquet"
            try:
                with _database(Path(folder)) as connection:
                    _convert(connection, batches, part)
            except duckdb.IOException:
                raise
            except duckdb.Error as error:
                is_memory = isinstance(error, duckdb.OutOfMemoryException)
                reason = "is too large to review" if is_memory else "can't be converted"
                files.leave_out(number, f"{reason}: {str(error).splitlines()[0]}")
            else:
                parts.append(part)
        with _database(Path(folder)) as connection:
            if not parts:
                _convert(connection, iter(()), target)
                return
            names = ", ".join(f"'{_pattern(part)}'" for part in parts)
            connection.execute(
                f"copy (from read_parquet([{names}], hive_partitioning = false)) to '{_quoted(target)}' ({_PARQUET})"
            )


def _convert(connection: duckdb.DuckDBPyConnection, batches: Iterator[pa.RecordBatch], target: Path) -> None:
    connection.register("records", pa.RecordBatchReader.from_batches(_RECORDS, batches))
    in_lower_case = "|".join(sorted({name.lower() for name in _names(_EVENT) if name != name.lower()}))
    fields = json.dumps(_EVENT)
    # Field names are case-sensitive here, unlike in Athena, so an event that lacks what nearly all have is parsed again
    # if it has names in lower case.
    connection.execute(
        f"""
        copy (
            with parsed as (
                select record, json_transform(record, '{fields}') as event, account_id, region, log_file from records
            ),
            parsed_again as (
                select
                    case
                        when
                            (
                                event.eventName is null or event.eventSource is null or event.eventTime is null
                                or event.userIdentity.type is null or event.userIdentity.arn is null
                                or event.userIdentity.accountId is null
                            )
                            and regexp_matches(record, '"({in_lower_case})"')
                        then json_transform(respelled(record), '{fields}')
                        else event
                    end as event,
                    account_id,
                    region,
                    log_file
                from parsed
            ),
            events as (
                select {_columns(_EVENT)}, account_id, region, log_file
                from parsed_again
            )
            select *, {_TAKEN_OUT} from events
        ) to '{_quoted(target)}' ({_PARQUET})
        """
    )


def _insight_events(connection: duckdb.DuckDBPyConnection, events: Path) -> dict[str, int]:
    """How many Insight events stand in log files, by name."""
    found = connection.execute(
        f"""
        select log_file, count(*)
        from read_parquet('{_pattern(events)}', hive_partitioning = false)
        where eventcategory = 'Insight' or eventtype = 'AwsCloudTrailInsight'
        group by log_file
        """
    ).fetchall()
    return dict(found)


@contextmanager
def whole_or_absent(target: Path) -> Iterator[Path]:
    """A path to write to, which becomes `target` only if all goes well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")  # hidden: no glob of the lake finds it
    unfinished.unlink(missing_ok=True)  # of a dead run, or a link that leads elsewhere
    yield unfinished
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(target)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _pattern(path: Path) -> str:
    """The same to read from, where DuckDB takes a path for a pattern: it matches this path alone."""
    return re.sub(r"([\[*?])", r"[\1]", _quoted(path))
