"""The embedded target's lake: one day's log files, checked and converted into Parquet.

    <lake>/logs/run_date=<day>/logs.parquet            the day's events, columns as in the Athena table, and two more
    <lake>/log_files/run_date=<day>/log_files.parquet  every file delivered that day, and what is wrong with it

Both are always written, with no rows if nothing was delivered, and each is either complete or absent.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
from pyarrow import parquet

from ..cloudtrail.deliveries import Delivery, deliveries
from ..cloudtrail.digests import DigestCheck
from ..cloudtrail.reader import read_log_files
from ..cloudtrail.store import LogStore, open_store
from ..common.aws import is_s3

OUT_OF_SCOPE = "is outside trail_scope, so it was not reviewed"
BATCH_RECORDS = 1_000
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "900MB",
    "preserve_insertion_order": "false",
}

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
_RECORD_COLUMNS: dict[str, pa.DataType] = {"file": pa.int32(), "record": pa.string()}
_NAME_COLUMNS: dict[str, pa.DataType] = {
    "file": pa.int32(),
    "account_id": pa.string(),
    "region": pa.string(),
    "log_file": pa.string(),
}
_LOG_FILES, _RECORDS, _NAMES = map(pa.schema, (_LOG_FILE_COLUMNS, _RECORD_COLUMNS, _NAME_COLUMNS))


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
    files = _Reading(store, delivered, scope, check)
    with (
        duckdb.connect(config=_CONFIG) as connection,
        # on exit, the last one is renamed first: the table with the token is put in place after the events
        whole_or_absent(_log_files(lake, run_date)) as log_files,
        whole_or_absent(_logs(lake, run_date)) as events,
    ):
        _write_events(connection, files, events)
        read = files.result(_unusable_records(connection, events, files))
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


def _batches(number: int, records: list[bytes]) -> Iterator[pa.RecordBatch]:
    # One long batch would be slow: the time of json_transform grows with the square of the batch
    for start in range(0, len(records), BATCH_RECORDS):
        batch = records[start : start + BATCH_RECORDS]
        # the reader has already checked that it is UTF-8
        text = pa.array(batch, pa.binary()).view(pa.string())
        file = pa.repeat(pa.scalar(number, pa.int32()), len(batch))
        yield pa.RecordBatch.from_arrays([file, text], schema=_RECORDS)


class _Reading:
    """Reads a day's files one after the other, and keeps the results of each."""

    def __init__(self, store: LogStore, delivered: list[Delivery], scope: Scope, check: DigestCheck | None) -> None:
        self._store = store
        self._delivered = delivered
        self._scope = scope
        self._check = check
        self._sha256: dict[int, str | None] = {}
        self._events: dict[int, int] = {}
        self._problems: dict[int, str | None] = {}

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Every record of the files in scope, with the number of its file."""
        numbers = {file: number for number, file in enumerate(self._delivered)}
        wanted = [file for file in self._delivered if self._is_read(file)]
        for file, contents in read_log_files(self._store, wanted, self._is_covered, self._is_split):
            number = numbers[file]
            self._sha256[number] = contents.sha256
            if self._check and self._is_covered(file):
                self._check.take(file, contents)
            if not self._in_scope(file):
                continue
            self._problems[number] = contents.problem
            if contents.records is not None:
                self._events[number] = len(contents.records)
                yield from _batches(number, contents.records)

    def _is_read(self, file: Delivery) -> bool:
        is_hashed = self._check is not None and not is_s3(self._store.root)
        return file.kind == "log" and (self._is_split(file) or is_hashed)

    def _is_split(self, file: Delivery) -> bool:
        return self._in_scope(file) or self._is_covered(file)

    def _is_covered(self, file: Delivery) -> bool:
        return self._check is not None and self._check.covers(file)

    def result(self, unusable: dict[int, str]) -> list[LogFile]:
        """All delivered files; `unusable` has the problems found in the records of some."""
        return [
            LogFile(
                file.log_file,
                file.account_id,
                file.region,
                file.kind,
                file.size,
                self._sha256.get(number),
                self._events.get(number, 0),
                self._problems.get(number) or unusable.get(number) or (None if self._in_scope(file) else OUT_OF_SCOPE),
            )
            for number, file in enumerate(self._delivered)
        ]

    def names(self) -> pa.Table:
        """The account, region and name of each file, by its number."""
        return pa.Table.from_pylist(
            [
                {"file": number, "account_id": file.account_id, "region": file.region, "log_file": file.log_file}
                for number, file in enumerate(self._delivered)
            ],
            _NAMES,
        )

    def event_counts(self) -> dict[int, int]:
        return self._events

    def _in_scope(self, file: Delivery) -> bool:
        return (file.account_id, file.region) in self._scope


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


def _write_events(connection: duckdb.DuckDBPyConnection, files: _Reading, target: Path) -> None:
    connection.register("file_names", files.names())
    connection.register("records", pa.RecordBatchReader.from_batches(_RECORDS, files.batches()))
    connection.create_function("respelled", lambda it: _as_cloudtrail_spells(it, _EVENT), ["VARCHAR"], "VARCHAR")
    in_lower_case = "|".join(sorted({name.lower() for name in _names(_EVENT) if name != name.lower()}))
    fields = json.dumps(_EVENT)
    # Field names are case-sensitive here, unlike in Athena, so an event that lacks what nearly all have is parsed again
    # if it has names in lower case. What is not JSON at all becomes NULL, and its file number with it (see
    # _unusable_records); a filter instead would parse every event twice.
    connection.execute(
        f"""
        copy (
            with parsed as (
                select file, record, try(json_transform(record, '{fields}')) as event from records
            ),
            parsed_again as (
                select
                    case when event is not null then file end as file,
                    case
                        when
                            (
                                event.eventName is null or event.eventSource is null or event.eventTime is null
                                or event.userIdentity.type is null or event.userIdentity.arn is null
                                or event.userIdentity.accountId is null
                            )
                            and regexp_matches(record, '"({in_lower_case})"')
                        then try(json_transform(respelled(record), '{fields}'))
                        else event
                    end as event
                from parsed
            ),
            events as (
                select {_columns(_EVENT)}, account_id, region, log_file
                from parsed_again
                inner join file_names using (file)
            )
            select *, {_TAKEN_OUT} from events
        ) to '{_quoted(target)}' (format parquet, compression zstd, compression_level 1, row_group_size 20480)
        """
    )


def _unusable_records(connection: duckdb.DuckDBPyConnection, events: Path, files: _Reading) -> dict[int, str]:
    """What is wrong with files whose records look like JSON but are not events."""
    found = connection.execute(
        f"""
        select
            file,
            count(*) as events,
            count(*) filter (where eventcategory = 'Insight' or eventtype = 'AwsCloudTrailInsight') as insights
        from read_parquet('{_quoted(events)}', hive_partitioning = false)
        inner join file_names using (log_file)
        group by file
        """
    ).fetchall()
    written = {file: (events, insights) for file, events, insights in found}
    problems = {}
    for file, delivered in files.event_counts().items():
        events_written, insights = written.get(file, (0, 0))
        if events_written < delivered:
            problems[file] = f"{delivered - events_written} of its {delivered} records are not valid JSON"
        elif insights:
            problems[file] = f"{insights} of its {delivered} records are Insight events, which are no calls"
    return problems


@contextmanager
def whole_or_absent(target: Path) -> Iterator[Path]:
    """A path to write to, which becomes `target` only if all goes well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")  # hidden: no glob of the lake finds it
    yield unfinished
    with unfinished.open("rb") as written:
        os.fsync(written.fileno())
    unfinished.replace(target)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
