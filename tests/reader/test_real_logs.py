"""Every published CloudTrail log at hand is read as plain Python reads it, event by event and field by field."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from pci_log_review.warehouse.lake import _TEXT_FIELDS, _USER_IDENTITY, Fields

from .native_logs import Event, convert, events_in

REAL_LOGS = Path(__file__).resolve().parents[2].parent / "shared" / "real_logs"
SETS = sorted(path.parent for path in REAL_LOGS.glob("*/AWSLogs"))
if not SETS:
    pytest.skip("the real logs are not here (a folder shared/real_logs beside the repository)", allow_module_level=True)


@cache
def logs_of(logs: Path) -> dict[date, list[Path]]:
    """The log files of a set by their day."""
    days: dict[date, list[Path]] = {}
    for path in sorted(logs.glob("AWSLogs/*/CloudTrail/*/*/*/*/*")):
        year, month, day = path.parts[-4:-1]
        days.setdefault(date(int(year), int(month), int(day)), []).append(path)
    return days


DAYS = [pytest.param(logs, day, id=f"{logs.name}-{day}") for logs in SETS for day in logs_of(logs)]


def records_of(path: Path) -> list[Event]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records: list[Event] = json.load(file)["Records"]
    return records


def scope_of(logs: Path) -> frozenset[tuple[str, str]]:
    return frozenset((path.parts[-7], path.parts[-5]) for paths in logs_of(logs).values() for path in paths)


def as_text(value: Any) -> str | None:
    """A value as one of the lake's text columns has it: text as it is (nothing, if it says nothing), else as JSON."""
    if value is None or isinstance(value, str):
        return None if value in ("", "null") else value
    return json.dumps(value)


def same(text: str | None, value: Any) -> bool:
    if value is None or isinstance(value, str):
        return text == as_text(value)
    try:
        return bool(json.loads(text or "") == value)
    except ValueError:
        return False


def identity_fields(identity: Any, fields: Fields) -> Event:
    given = identity if isinstance(identity, dict) else {}
    return {
        name.lower(): as_text(given.get(name)) if isinstance(kind, str) else identity_fields(given.get(name), kind)
        for name, kind in fields.items()
    }


def differences(row: Event, record: Event) -> Iterator[str]:
    for field in _TEXT_FIELDS:
        if not same(row[field.lower()], record.get(field)):
            yield field
    if row["useridentity"] != identity_fields(record.get("userIdentity"), _USER_IDENTITY):
        yield "userIdentity"


@pytest.mark.slow
@pytest.mark.parametrize(("logs", "day"), DAYS)
def test_every_record_of_the_day_is_in_the_lake_once_with_the_same_fields(
    logs: Path, day: date, tmp_path: Path
) -> None:
    found = convert(logs, tmp_path, scope_of(logs), day)
    rows = events_in(tmp_path, day)
    assert len(rows) == sum(len(records_of(path)) for path in logs_of(logs)[day])
    for path in logs_of(logs)[day]:
        key = path.relative_to(logs).as_posix()
        records = records_of(path)
        assert (found[path.name].log_file, found[path.name].events, found[path.name].problem) == (
            key,
            len(records),
            None,
        )
        left = [row for row in rows if row["log_file"] == key]
        assert len(left) == len(records)
        for record in records:
            equal = [
                row
                for row in left
                if row["eventid"] == as_text(record.get("eventID")) and not any(differences(row, record))
            ]
            assert equal, (
                f"{key}: {record.get('eventName')} {record.get('eventID')} is not in the lake as it was logged"
            )
            left.remove(equal[0])


@pytest.mark.parametrize("logs", SETS, ids=lambda logs: logs.name)
def test_no_log_file_of_the_set_is_left_out(logs: Path) -> None:
    files = [path for path in logs.rglob("*.json.gz") if "CloudTrail" in path.parts]
    assert sorted(files) == sorted(path for paths in logs_of(logs).values() for path in paths)
    assert files
