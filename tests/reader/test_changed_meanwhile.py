"""A file that is written or removed between its check and the end of the review is found, also one put back."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

from pci_log_review.cloudtrail.store import open_store
from pci_log_review.warehouse import inventory
from pci_log_review.warehouse.inventory import Inventory, changed_meanwhile, convert, list_day

from .native_logs import ACCOUNT, DAY, REGION, SCOPE, event, folder_of, put, put_in_bucket, put_log

NAME = f"{ACCOUNT}_CloudTrail_{REGION}_20260310T0800Z_a.json.gz"
OTHER = f"{ACCOUNT}_CloudTrail_{REGION}_20260310T0900Z_b.json.gz"


def taken(root: str, lake: Path | None = None) -> Inventory:
    store = open_store(root)
    return convert(store, DAY, lambda _: None, SCOPE, lake, "token") if lake else list_day(store, DAY, lambda _: None)


def changed(found: Inventory, root: str) -> list[tuple[str, str]]:
    return changed_meanwhile(found, open_store(root), DAY)


@pytest.mark.usefixtures("s3")
def test_an_object_that_was_swapped_removed_or_added_after_its_check_is_named(tmp_path: Path) -> None:
    one, two = (put_log(tmp_path, name, [event(1)]) for name in (NAME, OTHER))
    logs = put_in_bucket(tmp_path, "changed-meanwhile")
    found, client = taken(logs), boto3.client("s3")
    assert changed(found, logs) == []
    swapped = put_log(tmp_path / "swapped", NAME, [event(2)])
    client.put_object(Bucket="changed-meanwhile", Key=one, Body=(tmp_path / "swapped" / swapped).read_bytes())
    client.delete_object(Bucket="changed-meanwhile", Key=two)
    digest = f"{folder_of(kind='CloudTrail-Digest')}/d.json.gz"
    client.put_object(Bucket="changed-meanwhile", Key=digest, Body=b"x")
    client.put_object(Bucket="changed-meanwhile", Key=f"{folder_of(kind='CloudTrail-Insight')}/i.json.gz", Body=b"x")
    assert sorted(changed(found, logs)) == sorted([(one, "changed"), (two, "vanished"), (digest, "appeared")])


def test_a_file_that_was_swapped_and_put_back_is_named(tmp_path: Path) -> None:
    key = put_log(tmp_path / "logs", NAME, [event(1)])
    path = tmp_path / "logs" / key
    os.utime(path, ns=(1, 1))
    before = path.read_bytes()
    for found in (taken(str(tmp_path / "logs")), taken(str(tmp_path / "logs"), tmp_path / "lake")):
        assert changed(found, str(tmp_path / "logs")) == []
        path.write_bytes(b"something else")
        path.write_bytes(before)
        assert changed(found, str(tmp_path / "logs")) == [(key, "changed")]
        os.utime(path, ns=(1, 1))


@pytest.mark.usefixtures("s3")
def test_an_object_that_was_swapped_and_put_back_is_known_by_the_time_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = put_log(tmp_path, NAME, [event(1)])
    logs = put_in_bucket(tmp_path, "swapped-and-put-back")
    found = taken(logs)
    [before] = found.listed
    # S3 tells it to the second: the original was written long before the review
    monkeypatch.setattr(inventory, "deliveries", lambda *_: [type(before)(**vars(before) | {"modified": "later"})])
    assert changed(found, logs) == [(key, "changed")]
    assert before.modified


def test_logs_of_another_day_that_change_are_no_matter_of_this_one(tmp_path: Path) -> None:
    put_log(tmp_path, NAME, [event(1)])
    found = taken(str(tmp_path))
    put(tmp_path, f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/03/11/x.json.gz", b"x")
    assert changed(found, str(tmp_path)) == []
