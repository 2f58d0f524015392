"""Finds records that have a key twice, or keys that differ in case alone, where the review reads them: in the record
itself and its userIdentity. One reader takes the first of them, another one the last.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import duckdb
import pyarrow as pa

from .records import Records
from .salvage import BadRecords, record_name

# Without a folder for what has no room in memory: records would be written to wherever the command was begun.
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "200MB",
    "temp_directory": "",
}
# What is searched at once, of one file or of many small ones
_RECORDS_TOGETHER = 5_000
_BYTES_TOGETHER = 16 << 20
_LONGEST_KEY = 100

# Records have few combinations of keys, and few identities: each is looked at once. The keys of an object are all
# there, in their order, as they are after unescaping.
_KEYS = """
    select distinct json_keys(record) as keys from records
"""
_KEYS_OF_IDENTITY = """
    with identities as (
        select distinct record -> '$.userIdentity' as identity from records
    )
    select distinct json_keys(identity) as keys, json_keys(identity, '$..*') as keys_within from identities
"""


class UnclearKeys:
    """Looks through the records of one file after another, in a thread of its own."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(config=_CONFIG)
        self._thread = ThreadPoolExecutor(1)
        self._waiting: list[tuple[int, Records]] = []
        self._records = self._bytes = 0  # of those that wait
        self._searched: Future[dict[int, str]] | None = None
        self._faults: dict[int, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        self._connection.close()

    def look_at(self, file: int, records: Records) -> None:
        """Takes a file's records, by the file's number."""
        if len(records):
            self._waiting.append((file, records))
            self._records += len(records)
            self._bytes += len(records.text)
        if self._records >= _RECORDS_TOGETHER or self._bytes >= _BYTES_TOGETHER:
            self._search()

    def faults(self) -> dict[int, str]:
        """What is wrong with the files that were taken, by number."""
        self._search()
        self._collect()
        return self._faults

    def _search(self) -> None:
        self._collect()  # no more than these wait meanwhile: they take memory
        waiting, self._waiting = self._waiting, []
        self._records = self._bytes = 0
        self._searched = self._thread.submit(self._faults_of, waiting)

    def _collect(self) -> None:
        if self._searched:
            self._faults |= self._searched.result()

    def _faults_of(self, several: list[tuple[int, Records]]) -> dict[int, str]:
        if self._are_clear([records for _, records in several]):
            return {}
        faults = ((file, unclear_keys(records)) for file, records in several)
        return {file: fault for file, fault in faults if fault}

    def _are_clear(self, several: list[Records]) -> bool:
        batches = [pa.record_batch({"record": records.arrow}) for records in several]
        if not batches:
            return True
        self._connection.register("records", pa.Table.from_batches(batches))
        try:
            keys = [keys for (keys,) in self._connection.execute(_KEYS).fetchall()]
            of_identity = self._connection.execute(_KEYS_OF_IDENTITY).fetchall()
        except duckdb.Error:  # no room, or JSON that it does not take
            return False
        finally:
            self._connection.unregister("records")
        # by any other spelling, DuckDB was not asked for the identity's keys
        are_spelled = all(key == "userIdentity" for some in keys for key in some if key.casefold() == "useridentity")
        within = [some for identity, inner in of_identity for some in (identity or [], *(inner or []))]
        return are_spelled and all(map(_differ, keys)) and all(map(_differ, within))


def _differ(keys: list[str]) -> bool:
    return len({key.casefold() for key in keys}) == len(keys)


def unclear_keys(records: Records) -> str | None:
    """Which of a file's records have unclear keys, in one text; None where none has."""
    unclear = BadRecords()
    for number, record in enumerate(records, 1):
        if fault := _unclear_key(record):
            unclear.add(record_name(number, record), f"has {fault}")
    return unclear.told(len(records))


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with all its keys."""


def _unclear_key(record: bytes) -> str | None:
    try:
        pairs = json.loads(record, object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except RecursionError:
        return "too many levels to tell its keys apart"
    return next(_unclear_in(pairs, 0), None)


def _unclear_in(value: object, depth: int) -> Iterator[str]:
    if isinstance(value, _Pairs):
        seen: dict[str, str] = {}
        for name, inner in value:
            if before := seen.get(name.casefold()):
                first, second = before[:_LONGEST_KEY], name[:_LONGEST_KEY]
                yield f"the key {second!r} twice" if before == name else f"the keys {first!r} and {second!r}"
            seen[name.casefold()] = name
            if depth or name.casefold() == "useridentity":
                yield from _unclear_in(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from _unclear_in(inner, depth + 1)
