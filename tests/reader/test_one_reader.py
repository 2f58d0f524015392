"""What is checked is what is reviewed: each log file is read once, and from those bytes all the rest follows."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import boto3
import pytest
from tests.checkout import ROOT

from pci_log_review.cloudtrail import store as store_module
from pci_log_review.cloudtrail.deliveries import deliveries
from pci_log_review.cloudtrail.store import FolderStore, LogStoreError, StoredFile, read_ahead
from pci_log_review.settings.scope import catalogue_regions, scope_of
from pci_log_review.warehouse.inventory import Inventory, InventoryFile, convert, list_day
from pci_log_review.warehouse.lake import convert_day, convert_files, is_converted

from .native_logs import ACCOUNT, DAY, REGION, SCOPE, event, events_in, folder_of, log_files, put, put_log
from .test_digests import KEYS, MIDDLE, PROVING, deliver

TOKEN = "0123456789abcdef"


class CountingStore(FolderStore):
    """A folder that counts what is listed and read, and gives no file twice."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.reads: Counter[str] = Counter()
        self.listings: Counter[str] = Counter()

    def files(self, folder: str) -> list[StoredFile]:
        self.listings[folder] += 1
        return super().files(folder)

    def folders(self, folder: str) -> list[str]:
        self.listings[folder] += 1
        return super().folders(folder)

    def read(self, key: str) -> bytes:
        self.reads[key] += 1
        if self.reads[key] > 1:
            raise LogStoreError("was read twice")
        return super().read(key)


def taken(store: FolderStore, lake: Path) -> Inventory:
    return convert(store, DAY, lambda _: KEYS, SCOPE, lake, TOKEN, PROVING)


def by_name(inventory: Inventory) -> dict[str, InventoryFile]:
    return {file.log_file: file for file in inventory.files}


def test_each_log_file_is_read_once_for_its_hash_its_digests_verdict_and_its_rows(tmp_path: Path) -> None:
    delivered = deliver(tmp_path / "logs")
    outside = put_log(tmp_path / "logs", "a.json.gz", [event(1)], folder_of("444455556666"))
    store = CountingStore(str(tmp_path / "logs"))
    inventory = taken(store, tmp_path / "lake")
    assert inventory.integrity == (
        "integrity not yet proven: 48 of 49 log files by 25 signed digests; "
        "1 in accounts and regions without digest files"
    )
    assert set(store.reads) >= {*delivered.logs, outside}
    assert set(store.reads.values()) == {1}
    assert set(store.listings.values()) == {1}
    for row in log_files(tmp_path / "lake"):
        if row["kind"] == "log":
            data = (tmp_path / "logs" / row["log_file"]).read_bytes()
            assert row["sha256"] == by_name(inventory)[row["log_file"]].sha256 == hashlib.sha256(data).hexdigest()
    assert len(events_in(tmp_path / "lake")) == 2 * len(delivered.logs)


def test_what_digests_contradict_is_told_of_the_bytes_that_became_rows(tmp_path: Path) -> None:
    delivered = deliver(tmp_path / "logs")
    changed, gone = delivered.logs_of(MIDDLE)
    put_log(tmp_path / "logs", changed.rpartition("/")[2], [event(77)], changed.rpartition("/")[0])
    (tmp_path / "logs" / gone).unlink()
    found = by_name(taken(CountingStore(str(tmp_path / "logs")), tmp_path / "lake"))
    assert (found[changed].integrity_fault or "").startswith("was changed after delivery")
    assert (found[gone].problem or "").startswith("is gone: digest ")
    assert "event-77" in [row["eventid"] for row in events_in(tmp_path / "lake")]


def test_both_targets_find_the_same_wrong_with_a_file_in_the_same_words(tmp_path: Path) -> None:
    delivered = deliver(tmp_path / "logs")
    path = tmp_path / "logs" / delivered.logs[3]
    path.write_bytes(path.read_bytes()[:-20])
    store = FolderStore(str(tmp_path / "logs"))
    embedded, athena = taken(store, tmp_path / "lake"), list_day(store, DAY, lambda _: KEYS, PROVING)
    assert embedded == athena
    [row] = [row for row in log_files(tmp_path / "lake") if row["log_file"] == delivered.logs[3]]
    problem = "gzip is cut off before its end"
    assert row["problem"] == by_name(athena)[delivered.logs[3]].problem == problem


def test_files_that_digests_cover_outside_the_scope_are_checked_and_not_reviewed(tmp_path: Path) -> None:
    deliver(tmp_path / "logs")
    store = FolderStore(str(tmp_path / "logs"))
    inventory = convert(store, DAY, lambda _: KEYS, frozenset(), tmp_path / "lake", TOKEN, PROVING)
    assert inventory.integrity == "integrity proven: 48 of 48 log files by 25 signed digests"
    assert events_in(tmp_path / "lake") == []


def test_a_partition_is_known_by_the_token_of_its_run_and_by_no_other(tmp_path: Path) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    logs, lake = str(tmp_path / "logs"), tmp_path / "lake"
    store = FolderStore(logs)
    assert not is_converted(logs, DAY, SCOPE, lake, TOKEN), "there is nothing yet"
    convert_files(store, deliveries(store, DAY), DAY, SCOPE, lake, token=TOKEN)
    assert is_converted(logs, DAY, SCOPE, lake, TOKEN)
    assert not is_converted(logs, DAY, SCOPE, lake, f"{TOKEN}0"), "another run"
    assert not is_converted(f"{logs}/", DAY, SCOPE, lake, TOKEN), "other logs"
    assert not is_converted(logs, date(2026, 3, 9), SCOPE, lake, TOKEN), "another day"
    assert not is_converted(logs, DAY, SCOPE | {(ACCOUNT, "eu-west-1")}, lake, TOKEN), "another scope"
    convert_day(logs, DAY, SCOPE, lake)
    assert not is_converted(logs, DAY, SCOPE, lake, TOKEN), "dbt alone has converted it again"
    convert_files(store, deliveries(store, DAY), DAY, SCOPE, lake, token=TOKEN)
    (lake / "logs" / f"run_date={DAY}" / "logs.parquet").unlink()
    assert not is_converted(logs, DAY, SCOPE, lake, TOKEN), "the rows are gone"


def test_a_conversion_that_failed_leaves_no_partition_with_its_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_log(tmp_path / "logs", "a.json.gz", [event(1)])
    store = FolderStore(str(tmp_path / "logs"))

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("pci_log_review.warehouse.lake.parquet.write_table", full)
    with pytest.raises(OSError, match="no space left"):
        convert_files(store, deliveries(store, DAY), DAY, SCOPE, tmp_path / "lake", token=TOKEN)
    assert not is_converted(store.root, DAY, SCOPE, tmp_path / "lake", TOKEN)


def test_a_file_that_grew_after_it_was_listed_is_not_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, f"{folder_of()}/a.json", b"x" * 1_000)
    store = FolderStore(str(tmp_path))
    monkeypatch.setattr(store_module, "MAX_BYTES", 999)
    with pytest.raises(LogStoreError, match="bytes, so it was not read"):
        store.read(f"{folder_of()}/a.json")


def test_no_more_is_read_ahead_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_AHEAD_BYTES", 10)
    sizes, begun, waiting = [4, 4, 4, 30, *[1] * 20], [], []

    def read(size: int) -> int:
        begun.append(size)
        return size

    for number, (size, found) in enumerate(read_ahead(read, sizes, lambda size: size), 1):
        assert found.result() == size == sizes[number - 1]
        waiting.append(begun[number:])
    assert begun == sizes
    assert all(sum(ahead) <= 10 or len(ahead) == 1 for ahead in waiting)
    assert max(len(ahead) for ahead in waiting) < store_module.PARALLEL_READS


def test_a_star_in_the_scope_is_every_region_of_the_partition_of_the_account(tmp_path: Path) -> None:
    (tmp_path / "trail_scope.csv").write_text(
        "account_id,account_name,region,in_cde,logs_expected\n"
        f"{ACCOUNT},shop,{REGION},true,daily\n{ACCOUNT},shop,eu-new-1,true,daily\n"
        "444455556666,,*,true,may be quiet\n"
        "555566667777,,us-gov-west-1,true,daily\n555566667777,,*,true,may be quiet\n"
        "666677778888,,*,true,may be quiet\n666677778888,,eusc-de-east-1,true,daily\n"
    )
    found = defaultdict(set)
    for account_id, region in scope_of(tmp_path, ROOT):
        found[account_id].add(region)
    assert found[ACCOUNT] == {REGION, "eu-new-1"}
    assert {"eu-west-1", "sa-west-1"} < found["444455556666"]
    assert not {"us-gov-west-1", "cn-north-1", "eusc-de-east-1"} & found["444455556666"]
    assert found["555566667777"] == {"us-gov-east-1", "us-gov-west-1"}
    assert found["666677778888"] == {"eusc-de-east-1"}


def test_every_region_that_botocore_knows_is_in_the_catalogue_with_its_partition() -> None:
    session = boto3.Session()
    known = {
        region: partition
        for partition in session.get_available_partitions()
        for region in session.get_available_regions("ec2", partition)
    }
    assert known.items() <= catalogue_regions(ROOT).items()
