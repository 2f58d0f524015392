"""Writes log files as CloudTrail delivers them, for the tests; everything is real but the events."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import boto3
from pyarrow import parquet

from pci_log_review.warehouse.lake import LogFile, convert_day

ACCOUNT, REGION, DAY = "111122223333", "us-east-1", date(2026, 3, 10)
SCOPE = frozenset({(ACCOUNT, REGION)})

Event = dict[str, Any]


def event(number: int = 1, **changes: Any) -> Event:
    """An ordinary record; `number` tells it from others."""
    return {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDAEXAMPLE",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/ana",
            "accountId": ACCOUNT,
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": "ana",
        },
        "eventTime": "2026-03-10T12:34:56Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "awsRegion": REGION,
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "aws-cli/2.22.35",
        "requestParameters": {"bucketName": "cards", "key": f"2026/{number}.csv"},
        "responseElements": None,
        "requestID": f"request-{number}",
        "eventID": f"event-{number}",
        "readOnly": True,
        "resources": [{"type": "AWS::S3::Object", "ARN": f"arn:aws:s3:::cards/2026/{number}.csv"}],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": ACCOUNT,
        "eventCategory": "Data",
        **changes,
    }


def log_text(events: Iterable[Any]) -> bytes:
    """What stands in a log file, before it is compressed."""
    return json.dumps({"Records": list(events)}, separators=(",", ":")).encode()


def folder_of(account: str = ACCOUNT, region: str = REGION, day: date = DAY, kind: str = "CloudTrail") -> str:
    return f"AWSLogs/{account}/{kind}/{region}/{day:%Y/%m/%d}"


def put(root: Path, key: str, content: bytes) -> str:
    """Writes a file below `root` and gives its key back."""
    (root / key).parent.mkdir(parents=True, exist_ok=True)
    (root / key).write_bytes(content)
    return key


def put_log(root: Path, name: str, events: Iterable[Any], folder: str | None = None) -> str:
    """Writes a whole log file into the native layout and gives its key back."""
    return put(root, f"{folder or folder_of()}/{name}", gzip.compress(log_text(events), 1, mtime=0))


def put_in_bucket(root: Path, bucket: str, prefix: str = "") -> str:
    """Copies a folder of logs into a new bucket, and gives back what to pass as `logs`."""
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    for path in sorted(root.rglob("*")):
        if path.is_file():
            client.put_object(Bucket=bucket, Key=prefix + path.relative_to(root).as_posix(), Body=path.read_bytes())
    return f"s3://{bucket}/{prefix}".rstrip("/")


def convert(
    root: Path | str, lake: Path, scope: frozenset[tuple[str, str]] = SCOPE, day: date = DAY
) -> dict[str, LogFile]:
    """Converts a day; returns the delivered files by the last part of their name."""
    files = convert_day(str(root), day, scope, lake)
    assert log_files(lake, day) == [vars(file) for file in files]
    return {file.log_file.rpartition("/")[2]: file for file in files}


def events_in(lake: Path, day: date = DAY) -> list[Event]:
    """The day's rows in the lake, sorted by event id."""
    rows = parquet.ParquetFile(lake / "logs" / f"run_date={day}" / "logs.parquet").read().to_pylist()
    return sorted(rows, key=lambda row: (row["log_file"], row["eventid"] or "", json.dumps(row)))


def log_files(lake: Path, day: date = DAY) -> list[Event]:
    """The day's rows of `cloudtrail.log_files` in the lake."""
    return parquet.ParquetFile(lake / "log_files" / f"run_date={day}" / "log_files.parquet").read().to_pylist()
