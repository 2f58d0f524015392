"""Glue is moto's, except for what Trino needs and moto lacks, and for partitions: thousands of them must stay quick."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from moto.glue.models import FakePartition, FakeTable, GlueBackend, glue_backends
from moto.glue.utils import PartitionFilter

from .cloudtrail_format import CLOUDTRAIL_INPUT_FORMAT, CloudTrailFormat

_PAGE = 1000
_EQUALITY = re.compile(r"^\(*\s*(\w+)\s*=\s*'((?:[^']|'')*)'\s*\)*$")


class Glue:
    """Answers single actions of Glue; None means that moto shall answer."""

    def __init__(self, account: str, region: str, cloudtrail: CloudTrailFormat) -> None:
        self._account = account
        self._region = region
        self._cloudtrail = cloudtrail
        self._answers: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "GetPartitions": self._get_partitions,
            "BatchGetPartition": self._batch_get_partition,
            "BatchCreatePartition": self._batch_create_partition,
        }

    @property
    def _backend(self) -> GlueBackend:
        backend: GlueBackend = glue_backends[self._account][self._region]
        return backend

    def answer(self, action: str, request: dict[str, Any]) -> dict[str, Any] | None:
        """The response to an action, if it is one of those answered here."""
        if "ColumnStatisticsFor" in action:
            # moto has none of the six actions, and Trino's writes fail without an answer.
            return {"ColumnStatisticsList": [], "Errors": []}
        answer = self._answers.get(action)
        return answer(request) if answer else None

    def for_trino(self, response: bytes) -> bytes:
        """A response that goes to Trino, with entries that Trino could not read in a form that it can."""
        if not (CLOUDTRAIL_INPUT_FORMAT.encode() in response or b"presto_view" in response):
            return response
        answer = json.loads(response)
        for key in ("Table", "Partition"):
            if key in answer:
                answer[key] = self._as_trino_sees(answer[key])
        for key in ("TableList", "Partitions"):
            if key in answer:
                answer[key] = [self._as_trino_sees(entry) for entry in answer[key]]
        return json.dumps(answer).encode()

    def _as_trino_sees(self, entry: dict[str, Any]) -> dict[str, Any]:
        parameters = entry.get("Parameters") or {}
        if entry.get("TableType") == "VIRTUAL_VIEW" and parameters.get("presto_view") == "true":
            # Trino knows its views by this comment, which dbt's persist_docs replaces; Athena does not mind.
            return {**entry, "Description": "Presto View", "Parameters": {**parameters, "comment": "Presto View"}}
        return self._cloudtrail.as_trino_sees(entry)

    def _table(self, request: dict[str, Any]) -> FakeTable:
        return self._backend.get_table(request["DatabaseName"], request["TableName"])

    def _get_partitions(self, request: dict[str, Any]) -> dict[str, Any]:
        table = self._table(request)
        expression = request.get("Expression") or ""
        found = list(_matching(table, expression))
        if segment := request.get("Segment"):
            found = found[segment["SegmentNumber"] :: segment["TotalSegments"]]
        start = int(request.get("NextToken") or 0)
        end = start + min(int(request.get("MaxResults") or _PAGE), _PAGE)
        answer: dict[str, Any] = {"Partitions": [_as_json(p) for p in found[start:end]]}
        if request.get("ExcludeColumnSchema"):
            for partition in answer["Partitions"]:
                storage = partition.get("StorageDescriptor") or {}
                partition["StorageDescriptor"] = {k: v for k, v in storage.items() if k != "Columns"}
        if end < len(found):
            answer["NextToken"] = str(end)
        return answer

    def _batch_get_partition(self, request: dict[str, Any]) -> dict[str, Any]:
        partitions = self._table(request).partitions
        wanted = (str(entry["Values"]) for entry in request["PartitionsToGet"])
        return {"Partitions": [_as_json(partitions[key]) for key in wanted if key in partitions], "UnprocessedKeys": []}

    def _batch_create_partition(self, request: dict[str, Any]) -> dict[str, Any]:
        self._table(request)  # EntityNotFoundException if there is none
        errors = self._backend.batch_create_partition(
            request["DatabaseName"], request["TableName"], request["PartitionInputList"]
        )
        return {"Errors": errors}


def _matching(table: FakeTable, expression: str) -> Iterable[FakePartition]:
    """The partitions of an expression; equalities are compared here, since moto's own way takes seconds."""
    keys = [key["Name"] for key in list(table.versions.values())[-1].get("PartitionKeys", [])]
    equal: dict[int, str] = {}
    rest: list[str] = []
    conditions = [] if not expression.strip() else re.split(r"\s+and\s+", expression.strip(), flags=re.IGNORECASE)
    if re.search(r"\s(or|between)\s", expression, re.IGNORECASE):
        rest = [expression]  # its parts can't be told by their AND
    else:
        for condition in conditions:
            match = _EQUALITY.match(condition)
            if match and match.group(1) in keys and keys.index(match.group(1)) not in equal:
                equal[keys.index(match.group(1))] = match.group(2).replace("''", "'")
            else:
                rest = [expression]
    candidates: Iterator[FakePartition] = (
        partition
        for partition in list(table.partitions.values())
        if all(partition.values[at] == value for at, value in equal.items())
    )
    return filter(PartitionFilter(expression, table), candidates) if rest else candidates


def _as_json(partition: FakePartition) -> dict[str, Any]:
    entry: dict[str, Any] = partition.as_dict()
    entry["CreationTime"] = entry["CreationTime"].timestamp()
    return entry
