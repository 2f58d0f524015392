"""AWS CLI's validate-logs is the judge: what it calls valid is proven here, and nothing that it calls invalid is."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from awscli.customizations.cloudtrail.validation import CloudTrailValidateLogs
from botocore.exceptions import ClientError

from pci_log_review.cloudtrail.deliveries import deliveries
from pci_log_review.cloudtrail.digests import check_digests
from pci_log_review.cloudtrail.keys import KEYS_APART, KeysWanted, PublicKey
from pci_log_review.cloudtrail.store import FolderStore, LogStoreError

from .native_logs import ACCOUNT, DAY, REGION
from .test_digests import BUCKET as HERE
from .test_digests import (
    FINGERPRINT,
    FIRST_END,
    KEYS,
    MIDDLE,
    OTHER,
    PROVING,
    SIGNING,
    Content,
    Delivered,
    backfilled,
    deliver,
    faults,
    only,
    public_key,
)

NEXT = "fedcba9876543210fedcba9876543210"
ROTATED = FIRST_END + timedelta(hours=MIDDLE, minutes=30)
WEEKS_LATER = datetime(2026, 4, 1, 10, tzinfo=UTC)


def next_key(valid_from: datetime) -> PublicKey:
    key = public_key(OTHER, valid_from)
    return PublicKey(NEXT, key.der, key.valid_from, key.valid_until, REGION)


@dataclass
class Case:
    """A day in S3, and the keys that CloudTrail lists."""

    logs: Delivered
    keys: list[PublicKey] = field(default_factory=lambda: KEYS)


def untouched(root: Path) -> Case:
    return Case(deliver(root))


def signed_just_after_a_rotation(root: Path) -> Case:
    def change(number: int, content: Content) -> None:
        if number >= MIDDLE:
            content["digestPublicKeyFingerprint"] = NEXT

    delivered = deliver(root, change, key_of=lambda number: OTHER if number >= MIDDLE else SIGNING)
    return Case(delivered, [public_key(valid_until=ROTATED), next_key(ROTATED)])


def backfilled_weeks_later(root: Path) -> Case:
    delivered = deliver(root)
    backfilled(delivered, f"{WEEKS_LATER:%Y-%m-%dT%H:%M:%SZ}", OTHER, NEXT)
    until = datetime(2026, 3, 20, tzinfo=UTC)
    return Case(delivered, [public_key(valid_until=until), next_key(until)])


def moved_from_another_bucket(root: Path) -> Case:
    """The trail's digests up to the one before MIDDLE lie where it delivered before."""
    delivered = deliver(root, only(MIDDLE, previousDigestS3Bucket="old-bucket"))
    for number in range(MIDDLE):
        delivered.path(number).unlink()
    return Case(delivered)


def backfilled_without_its_time(root: Path) -> Case:
    delivered = deliver(root)
    backfilled(delivered, None)
    return Case(delivered)


def backfilled_with_a_key_of_another_time(root: Path) -> Case:
    delivered = deliver(root)
    backfilled(delivered, f"{WEEKS_LATER:%Y-%m-%dT%H:%M:%SZ}", OTHER, NEXT)
    return Case(delivered, [*KEYS, next_key(WEEKS_LATER + timedelta(days=30))])


def a_log_file_changed(root: Path) -> Case:
    delivered = deliver(root)
    (root / delivered.logs[7]).write_bytes((root / delivered.logs[20]).read_bytes())
    return Case(delivered)


def a_log_file_gone(root: Path) -> Case:
    delivered = deliver(root)
    (root / delivered.logs[7]).unlink()
    return Case(delivered)


def a_digest_copied_over_another(root: Path) -> Case:
    delivered = deliver(root)
    delivered.path(MIDDLE).write_bytes(delivered.path(MIDDLE - 1).read_bytes())
    return Case(delivered)


def signed_by_another(root: Path) -> Case:
    return Case(deliver(root, key_of=lambda number: OTHER if number == MIDDLE else SIGNING))


def a_digest_gone(root: Path) -> Case:
    delivered = deliver(root)
    delivered.path(MIDDLE).unlink()
    return Case(delivered)


def without_keys(root: Path) -> Case:
    return Case(deliver(root), [next_key(datetime(2026, 1, 1, tzinfo=UTC))])


VALID = [untouched, signed_just_after_a_rotation, backfilled_weeks_later, moved_from_another_bucket]
INVALID = [
    backfilled_without_its_time, backfilled_with_a_key_of_another_time, a_log_file_changed, a_log_file_gone,
    a_digest_copied_over_another, signed_by_another, a_digest_gone, without_keys,
]  # fmt: skip


def listed_between(keys: list[PublicKey], start: datetime, end: datetime) -> list[PublicKey]:
    """As ListPublicKeys does."""
    return [key for key in keys if key.valid_from <= end and start <= key.valid_until]


class CloudTrail:
    def __init__(self, keys: list[PublicKey]) -> None:
        self._keys = keys

    def list_public_keys(self, StartTime: datetime, EndTime: datetime) -> Any:
        found = listed_between(self._keys, StartTime, EndTime)
        return {"PublicKeyList": [{"Fingerprint": it.fingerprint, "Value": base64.b64encode(it.der)} for it in found]}


class Bucket(FolderStore):
    """What was delivered, with what S3 keeps beside it, to us as a store and to AWS CLI as the client of any bucket."""

    def __init__(self, logs: Delivered) -> None:
        super().__init__(str(logs.root))
        self._logs = logs

    def read_with_metadata(self, key: str) -> tuple[bytes, dict[str, str]]:
        beside = {"signature": self._logs.signatures.get(key), "signature-algorithm": "SHA256withRSA"}
        beside["backfill-generation-timestamp"] = self._logs.generated.get(key)
        return self.read(key), {name: value for name, value in beside.items() if value}

    def get_client(self, _: str) -> Bucket:
        return self

    def get_paginator(self, _: str) -> Bucket:
        return self

    def paginate(self, Marker: str, Prefix: str, **_: str) -> Bucket:
        self._listed = [file.key for file in self.files(Prefix) if file.key > Marker]
        return self

    def search(self, _: str) -> list[str]:
        return self._listed

    def get_object(self, Bucket: str, Key: str) -> Any:
        try:
            content, metadata = self.read_with_metadata(Key if Bucket == HERE else "")
        except LogStoreError:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject") from None
        return {"Body": io.BytesIO(content), "Metadata": metadata}


def valid_to_aws_cli(case: Case, bucket: Bucket, told: pytest.CaptureFixture[str]) -> set[str]:
    """The keys of the digests and log files that it calls valid."""
    cli: Any = CloudTrailValidateLogs(None)
    cli.trail_arn = f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/trail_one"
    cli.is_verbose, cli.s3_bucket, cli.s3_prefix, cli.account_id = True, HERE, None, None
    cli.start_time, cli.end_time = (FIRST_END + timedelta(hours=hours) for hours in (0, 28))
    cli.cloudtrail_client, cli.organization_client, cli.s3_client_provider = CloudTrail(case.keys), None, bucket
    cli._source_region = REGION
    told.readouterr()
    cli._call()
    lines = [line.split("\t") for line in told.readouterr().out.splitlines() if line.endswith("\tvalid")]
    return {line[1].partition(f"s3://{HERE}/")[2] for line in lines}


@pytest.mark.slow
@pytest.mark.parametrize("lay", [*VALID, *INVALID], ids=lambda it: it.__name__)
def test_nothing_is_proven_that_aws_cli_calls_invalid_and_what_it_calls_valid_is_no_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lay: Callable[[Path], Case]
) -> None:
    case = lay(tmp_path)
    store = Bucket(case.logs)

    def keys_of(wanted: KeysWanted) -> list[PublicKey]:
        start, end = datetime(2026, 3, 9, tzinfo=UTC), datetime(2026, 3, 12, tzinfo=UTC)
        found = listed_between(case.keys, start, end)
        for time in wanted[REGION]:
            found += listed_between(case.keys, time - KEYS_APART, time + KEYS_APART)
        return list(dict.fromkeys(found))

    integrity = check_digests(store, DAY, deliveries(store, DAY), keys_of, None, PROVING)
    valid = valid_to_aws_cli(case, store, capsys)
    proven = {file.log_file for file in integrity.files if file.is_proven}
    assert proven <= valid
    if lay in VALID:
        # what the trail delivered elsewhere, before it moved, is missing here: that is told of the folder
        assert [key for key in faults(integrity) if not key.endswith(f"{DAY:%Y/%m/%d}")] == []
        assert proven == {key for key in valid if f"/{DAY:%Y/%m/%d}/" in key}
    else:
        assert faults(integrity)


def test_a_chain_that_goes_on_from_elsewhere_is_told_and_its_day_is_not_whole(tmp_path: Path) -> None:
    case = moved_from_another_bucket(tmp_path)
    store = Bucket(case.logs)
    integrity = check_digests(store, DAY, deliveries(store, DAY), lambda _: case.keys, None, PROVING)
    assert "; the chain goes on from elsewhere: " in integrity.summary
    [fault] = faults(integrity).values()
    assert "for 00:00 to 10:40: the one before lies elsewhere, s3://old-bucket/AWSLogs/" in fault
    assert FINGERPRINT not in integrity.summary
