"""A day becomes a partition with every event that was delivered; what could not be read is named, with its reason."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pci_log_review.cloudtrail.deliveries import Delivery, deliveries
from pci_log_review.cloudtrail.kinds import AGGREGATED, KINDS
from pci_log_review.cloudtrail.records import Records
from pci_log_review.cloudtrail.store import MAX_BYTES, TOO_LARGE, LogStore, LogStoreError
from pci_log_review.warehouse import lake as lake_module
from pci_log_review.warehouse.lake import OUT_OF_SCOPE, _pattern, convert_day

from .native_logs import (
    ACCOUNT,
    DAY,
    REGION,
    SCOPE,
    Event,
    convert,
    event,
    events_in,
    folder_of,
    log_files,
    log_text,
    put,
    put_in_bucket,
    put_log,
)
from .test_log_reader import EVENTS

WHOLE = gzip.compress(log_text([event(1), event(2)]))
BAD_FILES = {
    "cut.json.gz": (WHOLE[:-20], "gzip is cut off before its end"),
    "crc.json.gz": (WHOLE[:-8] + b"xxxx" + WHOLE[-4:], "gzip is damaged: CRC check failed"),
    "length.json.gz": (WHOLE[:-4] + b"\1\0\0\0", "gzip is damaged: Incorrect length of data produced"),
    "empty.json.gz": (b"", "is empty (0 bytes)"),
    "nothing.json.gz": (gzip.compress(b""), "is not JSON: "),
    "text.json.gz": (b"hello", "gzip is damaged: Not a gzipped file"),
    "digest.json.gz": (gzip.compress(b'{"digestEndTime":"x"}'), "is a digest file, not a log file"),
    "other.json.gz": (gzip.compress(b'{"flowLogs":[]}'), "has no Records: it is not a CloudTrail log file"),
    "null.json.gz": (gzip.compress(b'{"Records":null}'), "is not a CloudTrail log file: Expected `array`, got `null`"),
    "bomb.json.gz": (
        gzip.compress(b'{"Records":[' + b" " * MAX_BYTES + b"]}", 1),
        f"is too large to review: it holds more than {MAX_BYTES} bytes",
    ),
    "log.txt": (WHOLE, "is not named as a CloudTrail log file (.json.gz)"),
}


def converted(tmp_path: Path, *records: Any) -> list[Event]:
    """The lake's rows of one log file with these records."""
    put_log(tmp_path / "logs", "a.json.gz", records)
    file = convert(tmp_path / "logs", tmp_path / "lake")["a.json.gz"]
    assert file.events == len(records)
    return events_in(tmp_path / "lake")


def ids(lake: Path, day: date = DAY) -> list[str]:
    return sorted(row["eventid"] for row in events_in(lake, day))


# ---------------------------------------------------------------------------------------------------------- bad files
@pytest.mark.slow
def test_each_bad_file_is_named_with_its_reason_and_all_others_are_read(tmp_path: Path) -> None:
    for number, (name, (content, _)) in enumerate(BAD_FILES.items()):
        put(tmp_path / "logs", f"{folder_of()}/{2 * number:02}-{name}", content)
        put_log(tmp_path / "logs", f"{2 * number + 1:02}-good.json.gz", [event(number), event(100 + number)])
    found = convert(tmp_path / "logs", tmp_path / "lake")
    assert len(found) == 2 * len(BAD_FILES)
    for number, (name, (content, reason)) in enumerate(BAD_FILES.items()):
        bad, good = found[f"{2 * number:02}-{name}"], found[f"{2 * number + 1:02}-good.json.gz"]
        assert (bad.problem or "").startswith(reason), name
        assert (bad.events, bad.size, bad.sha256) == (0, len(content), hashlib.sha256(content).hexdigest())
        assert (good.events, good.problem) == (2, None)
    numbers = range(len(BAD_FILES))
    assert ids(tmp_path / "lake") == sorted(f"event-{100 * more + number}" for number in numbers for more in (0, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_alone_leaves_an_empty_partition_and_its_reason(tmp_path: Path, name: str) -> None:
    content, reason = BAD_FILES[name]
    put(tmp_path, f"{folder_of()}/{name}", content)
    assert (convert(tmp_path, tmp_path / "lake")[name].problem or "").startswith(reason)
    assert events_in(tmp_path / "lake") == []


def test_a_damaged_record_keeps_none_of_the_others_from_being_read(tmp_path: Path) -> None:
    text = log_text([event(1), event(2, userAgent="\ud800")])[:-2] + b',{"eventVersion":"1","eventID":},7]}'
    put(tmp_path, f"{folder_of()}/a.json.gz", gzip.compress(text))
    file = convert(tmp_path, tmp_path / "lake")["a.json.gz"]
    assert (file.problem or "").startswith(
        "3 of its 4 records are not as CloudTrail writes them: record 2 (event event-2)"
    )
    assert file.events == 2
    assert [row["useragent"] for row in events_in(tmp_path / "lake")] == ["aws-cli/2.22.35", "\ufffd"]


def test_keys_that_hide_others_are_named_with_the_file_and_the_event(tmp_path: Path) -> None:
    put_log(tmp_path, "a.json.gz", [event(1), {**event(2), "eventname": "StopLogging"}])
    put_log(tmp_path, "b.json.gz", [event(3)])
    found = convert(tmp_path, tmp_path / "lake")
    assert found["a.json.gz"].problem == (
        "1 of its 2 records are not as CloudTrail writes them: "
        "record 2 (event event-2) has the keys 'eventName' and 'eventname'"
    )
    assert (found["a.json.gz"].events, found["b.json.gz"].problem) == (2, None)


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["60MB", "1GB"])
def test_a_file_that_breaks_the_memory_is_named_and_all_others_are_read(
    tmp_path: Path, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = {"requestParameters": {"x": "y" * 900_000}}
    put_log(tmp_path, "a.json.gz", [event(1)])
    put_log(tmp_path, "b.json.gz", [event(number, **large) for number in range(2, 22)])
    put_log(tmp_path, "c.json.gz", [event(22)])
    monkeypatch.setitem(lake_module._CONFIG, "memory_limit", limit)
    found = convert(tmp_path, tmp_path / "lake")
    if limit == "1GB":
        assert {file.problem for file in found.values()} == {None}
        assert len(ids(tmp_path / "lake")) == 22
    else:
        assert (found["b.json.gz"].problem or "").startswith("is too large to review: Out of Memory Error: ")
        assert [file.events for file in found.values()] == [1, 0, 1]
        assert ids(tmp_path / "lake") == ["event-1", "event-22"]
        assert len(files_below(tmp_path / "lake")) == 2, "nothing else is left"


def test_a_batch_has_room_in_memory_whatever_is_in_its_records() -> None:
    file = Delivery("a.json.gz", ACCOUNT, REGION, "log", 1)
    sizes = [10, lake_module.BATCH_BYTES + 1, 10, *[100_000] * 100, *[1] * 2_000]
    batches = list(lake_module._batches([(file, Records.of([b"x" * size for size in sizes]))]))
    assert [len(text or "") for batch in batches for text in batch["record"].to_pylist()] == sizes
    assert max(batch.num_rows for batch in batches) == lake_module.BATCH_RECORDS
    together = [sum(len(text or "") for text in batch["record"].to_pylist()) for batch in batches if batch.num_rows > 1]
    assert max(together) <= lake_module.BATCH_BYTES
    assert {tuple(batch["account_id"].to_pylist()) for batch in batches[:1]} == {(ACCOUNT,)}


def test_small_files_share_batches_and_each_record_keeps_the_name_of_its_file() -> None:
    sizes = [1, 400, 0, 700, 3, 2_500, 1, 1]
    files = [
        (Delivery(f"{number}.json.gz", f"account {number}", REGION, "log", 1), Records.of([b"%d" % number] * size))
        for number, size in enumerate(sizes)
    ]
    batches = list(lake_module._batches(files))
    assert len(batches) == 4
    assert max(batch.num_rows for batch in batches) == lake_module.BATCH_RECORDS
    rows = [row for batch in batches for row in batch.to_pylist()]
    assert [int(row["record"]) for row in rows] == [number for number, size in enumerate(sizes) for _ in range(size)]
    for row in rows:
        assert row["log_file"] == f"{row['record']}.json.gz"
        assert row["account_id"] == f"account {row['record']}"
        assert row["region"] == REGION


def test_batches_are_made_ahead_and_an_error_reaches_everyone_who_asks_for_the_next() -> None:
    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"record": ["a"]})
        raise OSError("the logs are gone")

    with lake_module._ReadAhead(batches()) as ahead:
        assert next(ahead).num_rows == 1
        for _ in range(3):
            with pytest.raises(OSError, match="the logs are gone"):
                next(ahead)


def test_nothing_goes_on_being_read_for_somebody_who_has_stopped() -> None:
    made = itertools.count()
    with lake_module._ReadAhead(pa.record_batch({"record": [str(next(made))]}) for _ in range(10**9)) as ahead:
        next(ahead)
    assert not ahead._thread.is_alive()
    assert next(made) <= lake_module.BATCHES_AHEAD + 4


def test_odd_things_on_disk_are_named_and_all_others_are_read(tmp_path: Path) -> None:
    put_log(tmp_path, "good.json.gz", [event(1)])
    day = tmp_path / folder_of()
    (day / "gone.json.gz").symlink_to("nowhere")
    (day / "circle.json.gz").symlink_to("circle.json.gz")
    (day / "folder.json.gz").symlink_to(tmp_path)
    os.mkfifo(day / "pipe.json.gz")
    put_log(tmp_path, "part.json.gz", [event(2)], f"{folder_of()}/a-real-folder.json.gz")
    Path(os.fsdecode(os.fsencode(day) + b"/a\xff.json.gz")).write_bytes(WHOLE)
    found = convert(tmp_path, tmp_path / "lake")
    assert {name: file.problem for name, file in found.items()} == {
        "a\\xff.json.gz": "cannot be read: No such file or directory",
        "circle.json.gz": "cannot be read: Too many levels of symbolic links",
        "folder.json.gz": "cannot be read: it is not a regular file",
        "gone.json.gz": "cannot be read: No such file or directory",
        "good.json.gz": None,
        "part.json.gz": None,
        "pipe.json.gz": "cannot be read: it is not a regular file",
    }
    assert [file.sha256 for file in found.values() if file.problem] == [None] * 5
    assert ids(tmp_path / "lake") == ["event-1", "event-2"]


def test_a_file_that_is_too_large_is_named_and_not_read(tmp_path: Path) -> None:
    put_log(tmp_path, "good.json.gz", [event(1)])
    with (tmp_path / folder_of() / "huge.json").open("wb") as huge:
        huge.truncate(50 * MAX_BYTES)  # takes no room on the disk
    found = convert(tmp_path, tmp_path / "lake")
    assert found["huge.json"].problem == TOO_LARGE
    assert (found["huge.json"].size, found["huge.json"].sha256) == (50 * MAX_BYTES, None)
    assert ids(tmp_path / "lake") == ["event-1"]


def test_a_file_that_may_not_be_read_is_named(unprivileged: Path) -> None:
    put_log(unprivileged, "good.json.gz", [event(1)])
    key = put_log(unprivileged, "closed.json.gz", [event(2)])
    (unprivileged / key).chmod(0)
    assert convert(unprivileged, unprivileged / "lake")["closed.json.gz"].problem == "cannot be read: Permission denied"
    assert ids(unprivileged / "lake") == ["event-1"]


@contextmanager
def between_listing_and_reading(monkeypatch: pytest.MonkeyPatch, happens: Any) -> Iterator[None]:
    def list_then(store: LogStore, run_date: date) -> list[Delivery]:
        found = deliveries(store, run_date)
        happens()
        return found

    with monkeypatch.context() as patch:
        patch.setattr(lake_module, "deliveries", list_then)
        yield


def test_a_file_that_vanishes_before_it_is_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_log(tmp_path, "good.json.gz", [event(1)])
    key = put_log(tmp_path, "gone.json.gz", [event(2)])
    with between_listing_and_reading(monkeypatch, (tmp_path / key).unlink):
        found = convert(tmp_path, tmp_path / "lake")
    assert found["gone.json.gz"].problem == "cannot be read: No such file or directory"
    assert ids(tmp_path / "lake") == ["event-1"]


@pytest.mark.usefixtures("s3")
def test_an_object_that_s3_does_not_give_is_named_and_all_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(30):
        put_log(tmp_path, f"{number:02}.json.gz", [event(number)])
    logs = put_in_bucket(tmp_path, "with-errors", "a prefix/")
    client = boto3.client("s3")
    archived = f"a prefix/{folder_of()}/archived.json.gz"
    client.put_object(Bucket="with-errors", Key=archived, Body=WHOLE, StorageClass="GLACIER")
    gone = f"a prefix/{folder_of()}/03.json.gz"
    with between_listing_and_reading(monkeypatch, lambda: client.delete_object(Bucket="with-errors", Key=gone)):
        found = convert(logs, tmp_path / "lake")
    assert "InvalidObjectState" in (found["archived.json.gz"].problem or "")
    assert "NoSuchKey" in (found["03.json.gz"].problem or "")
    assert [name for name, file in found.items() if file.problem] == ["03.json.gz", "archived.json.gz"]
    assert ids(tmp_path / "lake") == sorted(f"event-{number}" for number in range(30) if number != 3)


# ------------------------------------------------------------------------------------------------------- log_files
@pytest.mark.slow
def test_count_size_and_sha256_of_each_file_are_right(tmp_path: Path) -> None:
    counts = [0, 1, 2, 999, 1_000, 1_001, 2_000, 2_500]
    for count in counts:
        put_log(tmp_path, f"{count}.json.gz", (event(number) for number in range(count)))
    found = convert(tmp_path, tmp_path / "lake")
    rows = events_in(tmp_path / "lake")
    for count in counts:
        file = found[f"{count}.json.gz"]
        content = (tmp_path / file.log_file).read_bytes()
        assert (file.events, file.problem) == (count, None)
        assert (file.size, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        events = sorted(row["eventid"] for row in rows if row["log_file"] == file.log_file)
        assert events == sorted(f"event-{number}" for number in range(count))


def test_an_event_carries_its_file_account_and_region(tmp_path: Path) -> None:
    key = put_log(tmp_path, "a.json.gz", [event(awsRegion="eu-west-1", recipientAccountId="999999999999")])
    convert(tmp_path, tmp_path / "lake")
    [row] = events_in(tmp_path / "lake")
    assert (row["log_file"], row["account_id"], row["region"]) == (key, ACCOUNT, REGION)
    assert (row["awsregion"], row["recipientaccountid"]) == ("eu-west-1", "999999999999")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("resources", "arns"),
    [
        ([{"ARN": "arn:a", "type": "x"}], "arn:a"),
        ([{"ARN": "arn:a"}, {"ARN": "arn:b"}], "arn:a\narn:b"),
        ([{"ARN": "arn:a", "type": "x"}, {"ARNPrefix": "arn:b"}, {"arn": "arn:c"}], "arn:a\narn:b\narn:c"),
        ([{"type": "AWS::S3::Object"}], None),
        ([], None),
        ({"ARN": "arn:a"}, "arn:a"),
        ("arn:a", "arn:a"),
        (7, None),
        (None, None),
    ],
)
def test_the_arns_of_an_events_resources_are_taken_out(resources: Any, arns: str | None, tmp_path: Path) -> None:
    [row] = converted(tmp_path, event(resources=resources))
    assert row["resourcearns"] == arns


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "data", "used"),
    [
        ("ConsoleLogin", {"MFAUsed": "Yes", "LoginTo": "https://console.aws.amazon.com"}, "Yes"),
        ("ConsoleLogin", {"MFAUsed": "No"}, "No"),
        ("ConsoleLogin", {"MobileVersion": "No"}, None),
        ("ConsoleLogin", {"MFAUsed": {"odd": True}}, None),
        ("ConsoleLogin", "MFAUsed", None),
        ("ConsoleLogin", None, None),
        ("GetObject", {"MFAUsed": "Yes"}, None),
    ],
)
def test_mfa_of_a_sign_in_to_the_console_is_taken_out(name: str, data: Any, used: str | None, tmp_path: Path) -> None:
    [row] = converted(tmp_path, event(eventName=name, additionalEventData=data))
    assert row["mfaused"] == used


def test_files_outside_the_scope_are_named_and_not_read(tmp_path: Path) -> None:
    put_log(tmp_path, "in.json.gz", [event(1)])
    put_log(tmp_path, "account.json.gz", [event(2)], folder_of("444455556666"))
    put_log(tmp_path, "region.json.gz", [event(3)], folder_of(region="eu-west-1"))
    put_log(tmp_path, "dash.json.gz", [event(4)], folder_of("-"))
    put(tmp_path, f"{folder_of('444455556666')}/bad.json.gz", b"not even read")
    found = convert(tmp_path, tmp_path / "lake")
    assert {name: (file.problem, file.sha256 is None, file.events) for name, file in found.items()} == {
        "in.json.gz": (None, False, 1),
        **dict.fromkeys(["account.json.gz", "region.json.gz", "dash.json.gz", "bad.json.gz"], (OUT_OF_SCOPE, True, 0)),
    }
    assert ids(tmp_path / "lake") == ["event-1"]


def test_calls_and_network_activity_are_read_and_the_other_kinds_named(tmp_path: Path) -> None:
    for number, kind in enumerate(KINDS):
        put_log(tmp_path, f"{kind}.json.gz", [event(number)], folder_of(kind=kind))
    found = convert(tmp_path, tmp_path / "lake")
    assert [(file.kind, file.events, file.problem) for file in found.values()] == [
        ("aggregated", 0, AGGREGATED),
        ("digest", 0, None),
        ("insight", 0, None),
        ("network-activity", 1, None),
        ("log", 1, None),
    ]
    assert sorted(ids(tmp_path / "lake")) == ["event-0", "event-3"]


@pytest.mark.parametrize("mark", [{"eventCategory": "Insight"}, {"eventType": "AwsCloudTrailInsight"}])
def test_insight_events_among_the_logs_are_flagged(tmp_path: Path, mark: Event) -> None:
    put_log(tmp_path, "a.json.gz", [event(1), event(2, **mark), event(3)])
    put_log(tmp_path, "b.json.gz", [event(4)])
    found = convert(tmp_path, tmp_path / "lake")
    assert found["a.json.gz"].problem == "1 of its 3 records are Insight events, which are no calls"
    assert found["b.json.gz"].problem is None
    assert len(ids(tmp_path / "lake")) == 4


# --------------------------------------------------------------------------------------------------------- the fields
def as_in_lake(fields: Event) -> Event:
    return {name.lower(): as_in_lake(value) if isinstance(value, dict) else value for name, value in fields.items()}


IDENTITY = {
    "type": "AssumedRole",
    "principalId": "AROA:ana",
    "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/ana",
    "accountId": ACCOUNT,
    "invokedBy": "signin.amazonaws.com",
    "accessKeyId": "ASIAEXAMPLE",
    "userName": "ana",
    "onBehalfOf": {"userId": "u-1", "identityStoreArn": "arn:aws:identitystore::1:identitystore/d-1"},
    "sessionContext": {
        "attributes": {"mfaAuthenticated": "true", "creationDate": "2026-03-10T12:00:00Z"},
        "sessionIssuer": {
            "type": "Role",
            "principalId": "AROA",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/admin",
            "accountId": ACCOUNT,
            "userName": "admin",
        },
        "sourceIdentity": "ana",
    },
}
TEXT_FIELDS = {name: f"value of {name}" for name in lake_module._TEXT_FIELDS}


def test_every_field_is_kept(tmp_path: Path) -> None:
    [row] = converted(tmp_path, {**TEXT_FIELDS, "userIdentity": IDENTITY})
    assert {"useridentity": as_in_lake(IDENTITY), **as_in_lake(TEXT_FIELDS)}.items() <= row.items()


def lower(fields: Any) -> Any:
    return {name.lower(): lower(value) for name, value in fields.items()} if isinstance(fields, dict) else fields


@pytest.mark.slow
@pytest.mark.parametrize(
    "record",
    [
        lower({**TEXT_FIELDS, "userIdentity": IDENTITY}),
        {**TEXT_FIELDS, "userIdentity": lower(IDENTITY)},
        {**lower(TEXT_FIELDS), "userIdentity": IDENTITY},
        {**lower(TEXT_FIELDS), "useridentity": IDENTITY},
        {**TEXT_FIELDS, "useridentity": {**IDENTITY, "sessionContext": lower(IDENTITY["sessionContext"])}},
        {**lower(TEXT_FIELDS), "userIdentity": {**lower(IDENTITY), "sessioncontext": IDENTITY["sessionContext"]}},
    ],
)
def test_names_in_lower_case_are_the_same_fields_as_in_athena(tmp_path: Path, record: Event) -> None:
    [row] = converted(tmp_path, record)
    assert {"useridentity": as_in_lake(IDENTITY), **as_in_lake(TEXT_FIELDS)}.items() <= row.items()


def test_lower_case_names_change_nothing_inside_the_parameters(tmp_path: Path) -> None:
    parameters = {"userName": "ana", "roleARN": ["x"], "nested": {"instanceId": 1}}
    record = {name.lower(): value for name, value in event(requestParameters=parameters).items()}
    [row] = converted(tmp_path, record)
    assert json.loads(row["requestparameters"]) == parameters
    assert row["useridentity"]["username"] == "ana"


ODD_VALUES: list[Any] = ["text", "", True, False, 0, 1, 12345678901234567890, {"a": [1]}, ["x", None], [], {}]


@pytest.mark.slow
@pytest.mark.parametrize("field", ["userIdentity", *lake_module._TEXT_FIELDS])
def test_a_value_of_any_type_in_any_field_loses_neither_event_nor_value(field: str, tmp_path: Path) -> None:
    number = "vpcEndpointId" if field != "vpcEndpointId" else "errorMessage"  # tells the events apart
    odd = [{**event(), field: value, number: f"{n:02}"} for n, value in enumerate(ODD_VALUES)]
    rows = sorted(converted(tmp_path, *odd), key=lambda row: row[number.lower()])
    assert len(rows) == len(ODD_VALUES)
    for row, value in zip(rows, ODD_VALUES, strict=True):
        if field == "userIdentity":
            assert row["useridentity"]["arn"] is None
        else:
            assert row["useridentity"]["username"] == "ana"
            kept = row[field.lower()]
            # an empty text says no more than a missing one
            assert (kept if isinstance(value, str) else json.loads(kept)) == (None if value == "" else value)


@pytest.mark.parametrize("field", ["type", "arn", "accountId", "sessionContext", "onBehalfOf"])
def test_a_value_of_any_type_in_user_identity_keeps_the_event_and_its_other_fields(field: str, tmp_path: Path) -> None:
    rows = converted(tmp_path, *(event(userIdentity={**IDENTITY, field: value}) for value in [*ODD_VALUES, None]))
    assert [row["useridentity"]["username"] for row in rows] == ["ana"] * (len(ODD_VALUES) + 1)


@pytest.mark.slow
@pytest.mark.parametrize("field", ["userIdentity", *lake_module._TEXT_FIELDS])
def test_json_null_and_a_missing_field_are_sql_null(field: str, tmp_path: Path) -> None:
    missing = {name: value for name, value in event(2).items() if name != field}
    null, absent = converted(tmp_path, {**event(1), field: None}, missing)
    if field == "userIdentity":
        assert null["useridentity"] == absent["useridentity"]
        assert null["useridentity"]["type"] is null["useridentity"]["sessioncontext"]["sessionissuer"]["arn"] is None
    else:
        assert null[field.lower()] is absent[field.lower()] is None


@pytest.mark.parametrize("nothing", ["", "null"])
def test_an_empty_text_and_the_word_null_are_sql_null(nothing: str, tmp_path: Path) -> None:
    identity = {**IDENTITY, "accessKeyId": nothing}
    [row] = converted(tmp_path, event(errorCode=nothing, requestParameters=nothing, userIdentity=identity))
    assert (row["errorcode"], row["requestparameters"]) == (None, None)
    assert row["useridentity"]["accesskeyid"] is None


def test_a_record_without_any_known_field_is_still_an_event(tmp_path: Path) -> None:
    rows = converted(tmp_path, {}, {"a": 1}, event(3))
    assert len(rows) == 3


def test_of_equal_keys_the_first_is_taken_each_time(tmp_path: Path) -> None:
    record = json.dumps(event()).encode()
    twice = record[:-1] + b',"eventName":"StopLogging","userIdentity":null}'
    put(tmp_path, f"{folder_of()}/a.json", b'{"Records":[' + b",".join([twice] * 50) + b"]}")
    for _ in range(2):
        convert(tmp_path, tmp_path / "lake")
        rows = events_in(tmp_path / "lake")
        assert {(row["eventname"], row["useridentity"]["username"]) for row in rows} == {("GetObject", "ana")}
        assert len(rows) == 50


def test_a_nul_an_emoji_and_long_numbers_come_through(tmp_path: Path) -> None:
    put(
        tmp_path,
        f"{folder_of()}/a.json",
        '{"Records":[{"eventID":"a\\u0000b","userAgent":"é😀\\ud83d\\ude00\u2028",'
        f'"errorCode":{"9" * 10_000},"requestParameters":{{"n":1e400}}}}]}}'.encode(),
    )
    convert(tmp_path, tmp_path / "lake")
    [row] = events_in(tmp_path / "lake")
    assert (row["eventid"], row["useragent"]) == ("a\0b", "é😀😀\u2028")
    assert (row["errorcode"], row["requestparameters"]) == ("9" * 10_000, '{"n":1e400}')


def test_a_deeply_nested_record_comes_through(tmp_path: Path) -> None:
    nested = "[" * 500 + "]" * 500
    put(tmp_path, f"{folder_of()}/a.json", f'{{"Records":[{{"eventid":"1","requestParameters":{nested}}}]}}'.encode())
    convert(tmp_path, tmp_path / "lake")
    [row] = events_in(tmp_path / "lake")
    assert (row["eventid"], row["requestparameters"]) == ("1", nested)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=EVENTS, identity=st.sampled_from(["userIdentity", "useridentity", "eventname"]))
def test_whatever_objects_are_delivered_each_is_an_event(
    tmp_path: Path, records: list[dict[str, Any]], identity: str
) -> None:
    records = [{identity: record, **record} for record in records]
    assert len(converted(tmp_path, *records)) == len(records)
    [file] = log_files(tmp_path / "lake")
    assert file["problem"] is None or "has the key" in file["problem"]


# --------------------------------------------------------------------------------------------------------- partitions
SCHEMA = [name.lower() for name in ("userIdentity", *lake_module._TEXT_FIELDS)] + [
    *("account_id", "region", "log_file"),
    *("resourcearns", "mfaused"),
]


def test_an_empty_day_has_two_partitions_without_rows_and_with_every_column(tmp_path: Path) -> None:
    put_log(tmp_path, "a.json.gz", [event(1)])
    convert(tmp_path, tmp_path / "full")
    assert convert(tmp_path, tmp_path / "lake", day=date(2026, 3, 1)) == {}
    for table, rows in (("logs", 1), ("log_files", 1)):
        empty = parquet.ParquetFile(tmp_path / f"lake/{table}/run_date=2026-03-01/{table}.parquet").read()
        full = parquet.ParquetFile(tmp_path / f"full/{table}/run_date={DAY}/{table}.parquet").read()
        assert (empty.num_rows, full.num_rows) == (0, rows)
        assert empty.schema == full.schema
    assert parquet.read_schema(tmp_path / "lake/logs/run_date=2026-03-01/logs.parquet").names == SCHEMA


def test_files_without_events_leave_a_partition_without_rows(tmp_path: Path) -> None:
    put_log(tmp_path, "a.json.gz", [])
    assert convert(tmp_path, tmp_path / "lake")["a.json.gz"].problem is None
    assert events_in(tmp_path / "lake") == []


def test_a_rerun_replaces_the_day_and_touches_no_other(tmp_path: Path) -> None:
    first = put_log(tmp_path, "a.json.gz", [event(1), event(2)])
    put_log(tmp_path, "a.json.gz", [event(9)], folder_of(day=date(2026, 3, 9)))
    convert(tmp_path, tmp_path / "lake", day=date(2026, 3, 9))
    convert(tmp_path, tmp_path / "lake")
    (tmp_path / first).unlink()
    put_log(tmp_path, "b.json.gz", [event(3)])
    convert(tmp_path, tmp_path / "lake")
    assert ids(tmp_path / "lake") == ["event-3"]
    assert ids(tmp_path / "lake", date(2026, 3, 9)) == ["event-9"]
    convert(tmp_path, tmp_path / "lake", scope=frozenset())
    assert ids(tmp_path / "lake") == []
    assert [row["problem"] for row in log_files(tmp_path / "lake")] == [OUT_OF_SCOPE]


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def visible(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if not Path(name).name.startswith(".")}


def test_a_listing_that_fails_leaves_the_earlier_partition(tmp_path: Path) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    convert(tmp_path / "logs", tmp_path / "lake")
    before = files_below(tmp_path / "lake")
    for wrong in ("nowhere", "lake", "logs/AWSLogs"):
        with pytest.raises(LogStoreError, match=r"^logs: "):
            convert_day(str(tmp_path / wrong), DAY, SCOPE, tmp_path / "lake")
    assert files_below(tmp_path / "lake") == before


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0, 4, 1_000, 50_000])
def test_a_disk_that_gets_full_leaves_the_earlier_partition(tmp_path: Path, limit: int) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    convert(tmp_path / "logs", tmp_path / "lake")
    before = files_below(tmp_path / "lake")
    put_log(tmp_path / "logs", "b.json.gz", (event(n, userAgent=os.urandom(200).hex()) for n in range(2_000)))
    program = f"""if True:
        import resource, signal, sys
        from datetime import date
        from pathlib import Path
        from pci_log_review.warehouse.lake import convert_day
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
        convert_day(sys.argv[1], date(2026, 3, 10), frozenset({{{(ACCOUNT, REGION)}}}), Path(sys.argv[2]))
    """
    arguments = [sys.executable, "-c", program, str(tmp_path / "logs"), str(tmp_path / "lake")]
    run = subprocess.run(arguments, check=False, capture_output=True, text=True)
    assert run.returncode == 1
    assert "File too large" in run.stderr
    assert visible(files_below(tmp_path / "lake")) == before
    convert(tmp_path / "logs", tmp_path / "lake")
    assert len(events_in(tmp_path / "lake")) == 2_001
    assert len(visible(files_below(tmp_path / "lake"))) == len(files_below(tmp_path / "lake")) == 2


def test_a_lake_that_can_not_be_written_leaves_no_half_of_a_day(tmp_path: Path) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    put(tmp_path, f"lake/log_files/run_date={DAY}", b"a file where a folder should be")
    with pytest.raises(FileExistsError):
        convert_day(str(tmp_path / "logs"), DAY, SCOPE, tmp_path / "lake")
    assert not list(tmp_path.glob("lake/logs/**/*.parquet"))


def test_a_killed_run_leaves_the_earlier_partition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    convert(tmp_path / "logs", tmp_path / "lake")
    before = files_below(tmp_path / "lake")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    put_log(tmp_path / "logs", "b.json.gz", [event(2)])
    with monkeypatch.context() as patch:
        patch.setattr(lake_module, "_insight_events", interrupted)
        with pytest.raises(KeyboardInterrupt):
            convert_day(str(tmp_path / "logs"), DAY, SCOPE, tmp_path / "lake")
    assert visible(files_below(tmp_path / "lake")) == before


# --------------------------------------------------------------------------------------------------- names and places
@pytest.mark.parametrize(
    "name",
    ["it's", 'a "b" c', "ünï", "a;drop table records", "a=b", "%20", "$(x)", "{a}", "a\nb", "[ab]", "*", "what?"],
)
def test_any_path_of_logs_and_lake_works(tmp_path: Path, name: str) -> None:
    put_log(tmp_path / name / "logs", "a.json.gz", [event(1)])
    convert(tmp_path / name / "logs", tmp_path / name / "lake")
    assert ids(tmp_path / name / "lake") == ["event-1"]


def test_a_lake_whose_path_is_a_pattern_has_its_own_events_alone(tmp_path: Path) -> None:
    for number, name in enumerate(["aXb", "a?b", "a*b", "a[X]b"]):
        put_log(tmp_path / name / "logs", "a.json.gz", [event(number)])
        convert(tmp_path / name / "logs", tmp_path / name / "lake")
        assert ids(tmp_path / name / "lake") == [f"event-{number}"]
        of_lake = _pattern(tmp_path / name / "lake" / "logs") + "/run_date=*/logs.parquet"
        [[count]] = duckdb.execute(f"select count(*) from read_parquet('{of_lake}')").fetchall()
        assert count == 1


def test_hostile_file_names_are_only_names(tmp_path: Path) -> None:
    names = [
        "'; drop table records;--",
        '"',
        "a\nb",
        "\x1b[31mred",
        "<script>",
        "=1+1",
        "a,b",
        "ünï😀",
        "%s{0}$1\\",
        " ",
    ]
    for number, name in enumerate(names):
        put_log(tmp_path, f"{name}.json.gz", [event(number)])
    found = convert(tmp_path, tmp_path / "lake")
    assert sorted(found) == sorted(f"{name}.json.gz" for name in names)
    assert {file.problem for file in found.values()} == {None}
    rows = {row["eventid"]: row["log_file"] for row in events_in(tmp_path / "lake")}
    assert rows == {f"event-{n}": f"{folder_of()}/{name}.json.gz" for n, name in enumerate(names)}


def test_an_equal_file_in_two_folders_is_two_files(tmp_path: Path) -> None:
    put_log(tmp_path, "a.json.gz", [event(1)])
    put_log(tmp_path, "a.json.gz", [event(1)], folder_of(region="eu-west-1"))
    scope = frozenset({(ACCOUNT, REGION), (ACCOUNT, "eu-west-1")})
    files = convert_day(str(tmp_path), DAY, scope, tmp_path / "lake")
    assert [(file.region, file.events, file.problem) for file in files] == [("eu-west-1", 1, None), (REGION, 1, None)]
    assert ids(tmp_path / "lake") == ["event-1", "event-1"]


@pytest.mark.usefixtures("s3")
def test_the_same_logs_give_the_same_rows_again_and_from_s3(tmp_path: Path) -> None:
    for number in range(20):
        put_log(tmp_path / "logs", f"{number}.json.gz", (event(1_000 * number + n) for n in range(700)))
    put(tmp_path / "logs", f"{folder_of()}/bad.json.gz", WHOLE[:-20])
    logs = put_in_bucket(tmp_path / "logs", "same-rows", "trail/")
    first = convert(tmp_path / "logs", tmp_path / "first")
    again, from_s3 = convert(tmp_path / "logs", tmp_path / "again"), convert(logs, tmp_path / "s3")
    assert first == again == from_s3
    assert len(events_in(tmp_path / "first")) == 14_000
    assert events_in(tmp_path / "first") == events_in(tmp_path / "again") == events_in(tmp_path / "s3")


def test_days_that_an_earlier_version_made_with_other_columns_are_removed(tmp_path: Path) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    old = tmp_path / "lake" / "logs" / "run_date=2026-01-01" / "logs.parquet"
    old.parent.mkdir(parents=True)
    parquet.write_table(pa.table({"eventid": ["a"]}), old)
    convert(tmp_path / "logs", tmp_path / "lake")
    assert not old.exists()
    assert ids(tmp_path / "lake") == ["event-1"]
