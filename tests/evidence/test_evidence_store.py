from __future__ import annotations

import csv
import hashlib
import json
import os
import random
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from pci_log_review.evidence import s3 as evidence_s3
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.s3 import S3Evidence
from pci_log_review.evidence.store import EvidenceError, EvidenceStore, Locked

pytestmark = pytest.mark.slow

RUN = "2026-03-10/20260311T060000Z-ab12cd34"
FILES = {
    "daily_review.csv": b"a,b\n",
    "findings/10.2.2.csv": b"c\n" * 9,
    "sql/log_files.sql": b"",
    "manifest.json": b"{}",
}

HOLD = """
import sys
from pci_log_review.evidence.open import open_evidence
with open_evidence(sys.argv[1]).lock():
    print("held", flush=True)
    sys.stdin.read()
"""

WRITE_WITHOUT_END = """
import sys
from pci_log_review.evidence.open import open_evidence
store = open_evidence(sys.argv[1])
round = int(sys.argv[2])
with store.lock():
    store.clean()
    print("begun", flush=True)
    for turn in range(10**6):
        run = f"2026-03-10/run-{round}-{turn}"
        with store.staging(run) as staged:
            (staged / "findings").mkdir()
            for file in range(8):
                (staged / "findings" / f"{file}.csv").write_bytes(b"x" * 65536)
            (staged / "manifest.json").write_bytes(b"{}")
            store.publish(staged, run, "manifest.json")
        store.write("latest", bytes([48 + turn % 10]) * 262144)
        store.create(f"records/{round}-{turn}.json", b"y" * 65536)
"""


def publish(store: EvidenceStore, run: str = RUN, files: dict[str, bytes] = FILES) -> None:
    with store.staging(run) as staged:
        for name, content in files.items():
            (staged / name).parent.mkdir(exist_ok=True)
            (staged / name).write_bytes(content)
        store.publish(staged, run, "manifest.json")


@contextmanager
def holder(where: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, where], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


def lock_object(bucket: str) -> Any:
    """moto's own record of the lock object, to make it older than it is."""
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"].buckets[bucket].keys["pci/evidence/lock.json"]


def bucket_of(where: str) -> str:
    return where.removeprefix("s3://").partition("/")[0]


def before_each_put(store: EvidenceStore, act: Callable[[AWSPreparedRequest], None]) -> None:
    """Has `act` called right before a put of this store goes out."""
    assert isinstance(store, S3Evidence)
    store._client.meta.events.register("before-send.s3.PutObject", lambda request, **_: act(request))


# files


def test_nothing_is_there_at_first(store: EvidenceStore) -> None:
    assert (store.keys(), store.unfinished()) == ([], [])


def test_what_was_written_is_read_back(store: EvidenceStore) -> None:
    store.write("2026-03-10/latest", b"one")
    store.write("2026-03-10/latest", b"two")
    store.create("records/1.json", b"\x00\xff" * 9)
    with store.lock():
        assert store.keys() == ["2026-03-10/latest", "records/1.json"]
    assert store.read("2026-03-10/latest") == b"two"
    assert store.read("records/1.json") == b"\x00\xff" * 9
    assert store.unfinished() == []


def test_where_is_as_the_user_named_it(where: str) -> None:
    assert open_evidence(where).where == where


def test_keys_are_sorted(store: EvidenceStore) -> None:
    for key in ("b/c", "b-", "a/b/c", "B"):
        store.write(key, b"")
    assert store.keys() == ["B", "a/b/c", "b-", "b/c"]


def test_a_file_that_is_not_there_is_one_line(store: EvidenceStore) -> None:
    with pytest.raises(EvidenceError, match=r"^evidence: cannot read .*/evidence/a/b: .+$"):
        store.read("a/b")


def test_create_never_replaces(store: EvidenceStore) -> None:
    store.create("records/1.json", b"first")
    for data in (b"second", b"first"):
        with pytest.raises(EvidenceError, match=r"records/1\.json: (it is there already|File exists)$"):
            store.create("records/1.json", data)
    assert store.read("records/1.json") == b"first"
    assert store.unfinished() == []


def test_of_many_who_create_one_wins(where: str) -> None:
    together = Barrier(4)

    def create(number: int) -> int | None:
        store = open_evidence(where)
        together.wait()
        try:
            store.create("records/1.json", str(number).encode())
        except EvidenceError:
            return None
        return number

    with ThreadPoolExecutor(4) as pool:
        winners = [number for number in pool.map(create, range(4)) if number is not None]
    assert len(winners) == 1
    assert open_evidence(where).read("records/1.json") == str(winners[0]).encode()


KEYS_ELSEWHERE = ["..", "../a", "a/../b", "a/..", "/a", "", "a//b", "a/", ".", "./a", ".lock", "a\\b", "a\0b", "a\nb"]


@pytest.mark.parametrize("key", KEYS_ELSEWHERE)
def test_keys_that_lead_elsewhere_are_refused(store: EvidenceStore, key: str, tmp_path: Path) -> None:
    with pytest.raises(EvidenceError):
        store.read(key)
    with pytest.raises(EvidenceError):
        store.write(key, b"")
    with pytest.raises(EvidenceError):
        store.create(key, b"")
    with pytest.raises(EvidenceError), store.staging(key):
        pass
    (tmp_path / "manifest.json").touch()
    with pytest.raises(EvidenceError):
        store.publish(tmp_path, key, "manifest.json")
    assert store.keys() == []


def test_the_s3_lock_is_no_file(bucket: str) -> None:
    with pytest.raises(EvidenceError, match="name of the lock"):
        open_evidence(f"s3://{bucket}").write("lock.json", b"")


def test_a_link_that_leads_elsewhere_is_refused(folder: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("secret")
    Path(folder).mkdir()
    (Path(folder) / "day").symlink_to(tmp_path / "elsewhere")
    (Path(folder) / "a").symlink_to(tmp_path / "elsewhere" / "a")
    (Path(folder) / "loop").symlink_to("loop")
    store = open_evidence(folder)
    assert store.keys() == ["a", "day", "loop"]
    for key in ("day/a", "a", "loop"):
        with pytest.raises(EvidenceError, match="leads elsewhere"):
            store.read(key)
    with pytest.raises(EvidenceError, match="leads elsewhere"):
        store.write("day/b", b"")
    with pytest.raises(EvidenceError, match="leads elsewhere"), store.staging("day/run"):
        pass


@pytest.mark.parametrize(
    "read", [lambda it: it.read("pipe"), lambda it: list(it.lines("pipe")), lambda it: it.sha256("pipe", 0)]
)
def test_what_is_no_file_is_not_read(folder: str, read: Callable[[EvidenceStore], object]) -> None:
    Path(folder).mkdir()
    os.mkfifo(Path(folder) / "pipe")
    with pytest.raises(EvidenceError, match="not a regular file"):
        read(open_evidence(folder))


# runs


def test_a_published_run_is_there_as_staged(store: EvidenceStore) -> None:
    publish(store)
    assert store.keys() == sorted(f"{RUN}/{name}" for name in FILES)
    assert {name: store.read(f"{RUN}/{name}") for name in FILES} == FILES
    assert store.unfinished() == []


def test_a_run_is_published_once(store: EvidenceStore) -> None:
    publish(store)
    with pytest.raises(EvidenceError, match=f"cannot publish .*{RUN}: it is there already"):
        publish(store, files={"manifest.json": b"other"})
    assert {name: store.read(f"{RUN}/{name}") for name in FILES} == FILES
    assert len(store.keys()) == len(FILES)


def test_a_run_that_is_not_published_leaves_nothing(store: EvidenceStore) -> None:
    with pytest.raises(ZeroDivisionError), store.staging(RUN) as staged:  # noqa: PT012
        (staged / "a").write_text("a")
        assert store.keys() == []
        raise ZeroDivisionError
    assert (store.keys(), store.unfinished(), staged.exists()) == ([], [], False)


def test_a_run_without_its_seal_is_not_published(store: EvidenceStore) -> None:
    with pytest.raises(EvidenceError, match=r"it has no manifest\.json"):
        publish(store, files={"a": b""})
    assert (store.keys(), store.unfinished()) == ([], [])


def test_on_s3_the_seal_comes_last(bucket: str) -> None:
    store = open_evidence(f"s3://{bucket}")
    put: list[str] = []
    before_each_put(store, lambda request: put.append(str(request.url).rpartition("/")[2]))
    publish(store, files={f"{number}.csv": b"" for number in range(20)} | {"manifest.json": b"{}"})
    assert len(put) == 21
    assert put[-1] == "manifest.json"


def test_on_s3_a_failed_upload_leaves_the_run_unsealed(bucket: str) -> None:
    store = open_evidence(f"s3://{bucket}")

    def fail(request: AWSPreparedRequest) -> None:
        if str(request.url).endswith(".sql"):
            raise ZeroDivisionError

    before_each_put(store, fail)
    with pytest.raises(ZeroDivisionError):
        publish(store)
    assert f"{RUN}/manifest.json" not in store.keys()  # noqa: SIM118 — a method, not a mapping


def check_whole(store: EvidenceStore) -> None:
    """All that WRITE_WITHOUT_END wrote is whole."""
    runs: dict[str, set[str]] = {}
    for key in store.keys():  # noqa: SIM118
        content = store.read(key)
        if key == "latest":
            assert content == content[:1] * 262144
        elif key.startswith("records/"):
            assert content == b"y" * 65536
        else:
            day, run, name = key.split("/", 2)
            runs.setdefault(f"{day}/{run}", set()).add(name)
            assert content == (b"{}" if name == "manifest.json" else b"x" * 65536)
    for names in runs.values():
        assert names == {"manifest.json"} | {f"findings/{file}.csv" for file in range(8)}


def test_a_killed_run_never_leaves_a_part_of_its_evidence(folder: str) -> None:
    store = open_evidence(folder)
    chance = random.Random(10)  # noqa: S311 — when to kill
    left = 0
    for number in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE_WITHOUT_END, folder, str(number)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == b"begun\n"
            time.sleep(chance.uniform(0.01, 0.3))
            process.kill()
        check_whole(store)
        left += len(store.unfinished())
        with store.lock():  # which is free at once
            pass
    assert left, "no kill came in the middle of anything"
    before = store.keys()
    with store.lock():
        store.clean()
    assert store.unfinished() == []
    assert store.keys() == before


def test_who_reads_meanwhile_never_sees_a_part(folder: str) -> None:
    store = open_evidence(folder)
    with subprocess.Popen([sys.executable, "-c", WRITE_WITHOUT_END, folder, "0"], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"begun\n"
        try:
            while "latest" not in store.keys():  # noqa: SIM118
                check_whole(store)
            for _ in range(3000):
                assert len(store.read("latest")) == 262144
            check_whole(store)
        finally:
            process.kill()


def test_clean_removes_folders_and_files(folder: str) -> None:
    store = open_evidence(folder)
    publish(store)
    left = Path(folder) / "2026-03-11" / ".run.unfinished"
    (left / "findings").mkdir(parents=True)
    (left / "findings" / "a.csv").touch()
    (Path(folder) / ".latest.12345678.unfinished").touch()
    assert store.unfinished() == [".latest.12345678.unfinished", "2026-03-11/.run.unfinished"]
    assert len(store.keys()) == len(FILES)
    store.clean()
    assert store.unfinished() == []
    assert len(store.keys()) == len(FILES)


# the lock


def test_a_second_lock_names_the_holder(where: str) -> None:
    store = open_evidence(where)
    with holder(where) as process:
        text = f"process {process.pid} on {socket.gethostname()}, since {datetime.now(UTC):%Y-%m-%d}T"
        with pytest.raises(Locked, match=text), store.lock():
            pass


def test_a_lock_given_back_is_free(where: str) -> None:
    for _ in range(3):
        with open_evidence(where).lock(), pytest.raises(Locked), open_evidence(where).lock():
            pass


def test_a_lock_is_given_back_where_the_run_fails(where: str) -> None:
    with pytest.raises(ZeroDivisionError), open_evidence(where).lock():
        raise ZeroDivisionError
    with open_evidence(where).lock():
        pass


def test_nobody_else_can_open_a_folders_lock_and_so_hold_it(folder: str) -> None:
    lock = Path(folder) / ".lock"
    for earlier in (None, 0o666, 0o640):
        if earlier is not None:
            lock.chmod(earlier)
        with open_evidence(folder).lock():
            assert stat.S_IMODE(lock.stat().st_mode) == 0o600


def lay_link(lock: Path, elsewhere: Path) -> None:
    lock.symlink_to(elsewhere)


def lay_second_name(lock: Path, elsewhere: Path) -> None:
    lock.hardlink_to(elsewhere)


def lay_pipe(lock: Path, _: Path) -> None:
    os.mkfifo(lock)


@pytest.mark.parametrize("lay", [lay_link, lay_second_name, lay_pipe])
def test_what_is_laid_in_place_of_a_folders_lock_is_told_and_not_written_to(
    folder: str, tmp_path: Path, lay: Callable[[Path, Path], None]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    Path(folder).mkdir()
    lay(Path(folder) / ".lock", elsewhere)
    with pytest.raises(EvidenceError, match=r"^evidence: cannot lock "), open_evidence(folder).lock():
        pass
    assert elsewhere.read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_a_folders_lock_of_another_user_is_told(folder: str) -> None:
    with open_evidence(folder).lock():
        os.chown(Path(folder) / ".lock", 65534, -1)
    with pytest.raises(EvidenceError, match="belongs to another user"), open_evidence(folder).lock():
        pass
    os.chown(folder, 65534, -1)  # whose the whole evidence is
    with open_evidence(folder).lock():
        pass


NONSENSE = [b"", b"\xff", b"[" * 5000, b'"a"', b'{"host": "a\\u001b", "pid": 1, "since": "b"}']


@pytest.mark.parametrize("content", NONSENSE)
def test_a_folder_lock_that_says_nonsense_is_a_lock(folder: str, content: bytes) -> None:
    with open_evidence(folder).lock():
        (Path(folder) / ".lock").write_bytes(content)
        with pytest.raises(Locked, match=r"cannot be read$"), open_evidence(folder).lock():
            pass


@pytest.mark.parametrize("content", NONSENSE)
def test_an_s3_lock_that_says_nonsense_is_a_lock(bucket: str, content: bytes) -> None:
    boto3.client("s3").put_object(Bucket=bucket, Key="pci/evidence/lock.json", Body=content)
    with pytest.raises(Locked, match=r"cannot be read$"), open_evidence(f"s3://{bucket}/pci/evidence").lock():
        pass


def test_the_lock_of_a_killed_run_is_free_at_once_in_a_folder(folder: str) -> None:
    with holder(folder) as process:
        process.kill()
        process.wait()
        with open_evidence(folder).lock():
            pass


def test_a_child_process_that_has_the_descriptor_keeps_the_lock(folder: str) -> None:
    code = "import sys; sys.stdin.read()"
    with open_evidence(folder).lock() as descriptor:
        assert descriptor is not None
        assert not os.get_inheritable(descriptor)
        other = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
        child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, pass_fds=[descriptor])
    with child, other:
        with pytest.raises(Locked), open_evidence(folder).lock():
            pass
        child.kill()
        child.wait()
        with open_evidence(folder).lock():  # although the other one, which was not handed it, lives
            assert other.poll() is None
        other.kill()


def test_the_lock_of_a_killed_run_is_free_after_the_lease_on_s3(bucket: str) -> None:
    where = f"s3://{bucket}/pci/evidence"
    with holder(where) as process:
        process.kill()
        process.wait()
    lock_object(bucket).last_modified -= timedelta(seconds=evidence_s3.LEASE_SECONDS - 30)
    with pytest.raises(Locked, match=f"process {process.pid} "), open_evidence(where).lock():
        pass
    lock_object(bucket).last_modified -= timedelta(seconds=30)
    store = open_evidence(where)
    with store.lock():
        store.check_lock()
        with pytest.raises(Locked, match=f"process {os.getpid()} "), open_evidence(where).lock():
            pass
    with open_evidence(where).lock():
        pass


def test_of_many_who_take_over_an_old_s3_lock_one_wins(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"s3://{bucket}/pci/evidence"
    boto3.client("s3").put_object(Bucket=bucket, Key="pci/evidence/lock.json", Body=b"{}")
    lock_object(bucket).last_modified -= timedelta(hours=1)
    all_have_seen_it, all_have_tried = Barrier(4), Barrier(4)
    found_lock = S3Evidence._found_lock
    first: set[int] = set()

    def seen_by_all(store: S3Evidence) -> tuple[str, bytes, float]:
        found = found_lock(store)
        if id(store) not in first:
            first.add(id(store))
            all_have_seen_it.wait(30)
        return found

    monkeypatch.setattr(S3Evidence, "_found_lock", seen_by_all)

    def take(store: EvidenceStore) -> bool:
        try:
            with store.lock():
                all_have_tried.wait(30)
                store.check_lock()
                return True
        except Locked:
            all_have_tried.wait(30)
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(take, [open_evidence(where) for _ in range(4)])) == [False, False, False, True]


def test_an_s3_lock_is_renewed(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_s3, "RENEW_SECONDS", 0.02)
    client = boto3.client("s3")
    store = open_evidence(f"s3://{bucket}/pci/evidence")
    puts, fourth = [], Event()

    def put(request: AWSPreparedRequest) -> None:
        puts.append(request)
        if len(puts) == 2:
            raise EvidenceError("no network")
        if len(puts) == 4:
            fourth.set()

    before_each_put(store, put)
    with store.lock():
        assert fourth.wait(30)
        note = json.loads(client.get_object(Bucket=bucket, Key="pci/evidence/lock.json")["Body"].read())
        since = datetime.fromisoformat(note["since"])
        assert (note["host"], note["pid"]) == (socket.gethostname(), os.getpid())
        assert timedelta() <= datetime.fromtimestamp(note["renewed"], UTC) - since < timedelta(minutes=1)
    assert "Contents" not in client.list_objects_v2(Bucket=bucket)


def test_a_lost_s3_lock_is_told_and_left_to_its_new_holder(bucket: str) -> None:
    where = f"s3://{bucket}/pci/evidence"
    dead, alive = open_evidence(where), open_evidence(where)
    with pytest.raises(EvidenceError, match="lost the lock"), dead.lock():  # noqa: PT012
        lock_object(bucket).last_modified -= timedelta(hours=1)
        with alive.lock():
            with pytest.raises(EvidenceError, match="lost the lock"):
                dead.check_lock()
            alive.check_lock()
    with pytest.raises(EvidenceError, match="lost the lock"), dead.lock():  # noqa: PT012
        lock_object(bucket).last_modified -= timedelta(hours=1)
        still_held = alive.lock()
        still_held.__enter__()  # and nobody asks: the end finds out
    alive.check_lock()
    still_held.__exit__(None, None, None)


def test_a_lost_s3_lock_does_not_hide_why_the_run_failed(bucket: str) -> None:
    with pytest.raises(ZeroDivisionError), open_evidence(f"s3://{bucket}/pci/evidence").lock():  # noqa: PT012
        boto3.client("s3").delete_object(Bucket=bucket, Key="pci/evidence/lock.json")
        raise ZeroDivisionError


def test_check_lock_is_for_who_holds_it(bucket: str) -> None:
    with pytest.raises(EvidenceError, match="not held"):
        open_evidence(f"s3://{bucket}").check_lock()


def test_a_folder_lock_is_never_lost(folder: str) -> None:
    store = open_evidence(folder)
    with store.lock():
        store.check_lock()


def test_a_put_whose_answer_was_lost_is_known_as_ours(bucket: str) -> None:
    store = open_evidence(f"s3://{bucket}/pci/evidence")
    lost: set[str] = set()

    def lose_the_first_answer(request: AWSPreparedRequest) -> None:
        if request.url not in lost:
            lost.add(request.url)
            URLLib3Session().send(request)
            raise ConnectionClosedError(endpoint_url=request.url)

    before_each_put(store, lose_the_first_answer)
    with store.lock():
        store.create("records/1.json", b"1")
        publish(store)
    assert len(lost) == 2 + len(FILES)
    assert {name: store.read(f"{RUN}/{name}") for name in FILES} == FILES
    with pytest.raises(EvidenceError, match="there already"):
        store.create("records/1.json", b"1")


# S3's encryption and Object Lock


@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_evidence_is_encrypted_and_kept(bucket: str, mode: str) -> None:
    client = boto3.client("s3")
    key = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
    store = open_evidence(f"s3://{bucket}", kms_key=key, retention_days=400, retention_mode=mode)
    with store.lock():
        lock = client.head_object(Bucket=bucket, Key="lock.json")
        publish(store)
    store.create("records/1.json", b"")
    store.write("latest", b"")
    latest = client.head_object(Bucket=bucket, Key="latest")
    for head in (lock, latest):
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
        assert "ObjectLockMode" not in head
    kept = [found for found in store.keys() if found != "latest"]  # noqa: SIM118
    assert len(kept) == 1 + len(FILES)
    for found in kept:
        head = client.head_object(Bucket=bucket, Key=found)
        assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)
        # moto has no GetObjectRetention; a head says the same
        assert head["ObjectLockMode"] == mode
        left = head["ObjectLockRetainUntilDate"] - datetime.now(UTC)
        assert timedelta(days=400, minutes=-1) < left <= timedelta(days=400)
        with pytest.raises(client.exceptions.ClientError, match="AccessDenied"):
            client.delete_object(Bucket=bucket, Key=found, VersionId=head["VersionId"])


def test_without_options_the_bucket_decides(bucket: str) -> None:
    open_evidence(f"s3://{bucket}").create("a", b"")
    head = boto3.client("s3").head_object(Bucket=bucket, Key="a")
    assert "SSEKMSKeyId" not in head
    assert "ObjectLockMode" not in head


@pytest.mark.parametrize("options", [{"retention_days": 0}, {"retention_days": -1}, {"retention_mode": "FOREVER"}])
def test_a_retention_that_cannot_be_right_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(EvidenceError, match="retention"):
        open_evidence("s3://bucket", **options)


# places that are not there


def lock(store: EvidenceStore) -> None:
    with store.lock():
        pass


def keys(store: EvidenceStore) -> None:
    store.keys()


def write(store: EvidenceStore) -> None:
    store.write("a", b"")


def create(store: EvidenceStore) -> None:
    store.create("a", b"")


def one_line(where: str, act: Callable[[EvidenceStore], object]) -> str:
    with pytest.raises(EvidenceError) as raised:
        act(open_evidence(where))
    text = str(raised.value)
    assert "\n" not in text
    return text


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("act", [lock, publish, keys, write, create])
def test_a_bucket_that_is_not_there_is_one_line(act: Callable[[EvidenceStore], object]) -> None:
    text = one_line("s3://no-such-bucket-anywhere/a", act)
    assert "no-such-bucket-anywhere" in text
    assert "NoSuchBucket" in text
    assert "\n" not in one_line("s3://no bucket's name/a", act)


@pytest.mark.usefixtures("s3")
def test_s3_without_a_bucket_is_one_line() -> None:
    assert "names no bucket" in one_line("s3://", lock)


@pytest.mark.parametrize("act", [lock, publish, write, create])
def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path, act: Callable[[EvidenceStore], object]) -> None:
    (tmp_path / "file").touch()
    assert "is not a folder" in one_line(str(tmp_path / "file"), act)
    assert "Not a directory" in one_line(str(tmp_path / "file" / "below"), act)
    assert "/proc/evidence" in one_line("/proc/evidence", act)  # where not even root can write


def test_an_unwritable_folder_can_be_read(folder: str) -> None:
    store = open_evidence(folder)
    store.write("a", b"1")
    (Path(folder) / ".lock").touch()
    (Path(folder) / ".lock").chmod(0o400)
    Path(folder).chmod(0o500)
    assert (store.keys(), store.read("a")) == (["a"], b"1")
    if os.geteuid():  # root may write everywhere
        for act in (lock, publish):
            assert "Permission denied" in one_line(folder, act)
    Path(folder).chmod(0o700)


def test_reading_makes_no_folder(folder: str) -> None:
    assert open_evidence(folder).keys() == []
    assert not Path(folder).exists()


def test_a_file_is_hashed_piece_by_piece_if_it_has_the_size(store: EvidenceStore) -> None:
    data = bytes(range(256)) * 10_000
    store.write("2026-03-10/a.csv", data)
    assert store.sha256("2026-03-10/a.csv", len(data)) == hashlib.sha256(data).hexdigest()
    for size in (0, len(data) - 1, len(data) + 1):
        assert store.sha256("2026-03-10/a.csv", size) is None
    with pytest.raises(EvidenceError):
        store.sha256("2026-03-10/b.csv", 1)


def test_a_table_is_read_line_by_line(store: EvidenceStore) -> None:
    lines = [b"a,b\r\n", b"x" * 100_000 + b",1\r\n", *[b"\xc3\xa9,2\r\n"] * 20_000]
    store.write("2026-03-10/a.csv", b"".join(lines))
    assert b"".join(store.lines("2026-03-10/a.csv")) == b"".join(lines)
    assert list(csv.DictReader(line.decode() for line in store.lines("2026-03-10/a.csv")))[-1] == {"a": "é", "b": "2"}


def test_a_file_that_is_larger_than_what_is_read_as_a_whole_is_an_error(
    store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write("2026-03-10/a.json", b"12345")
    assert store.read("2026-03-10/a.json") == b"12345"
    monkeypatch.setattr("pci_log_review.evidence.store.MAX_BYTES", 4)
    with pytest.raises(EvidenceError, match="it has more than 4 bytes"):
        store.read("2026-03-10/a.json")


def test_a_page_in_s3_is_shown_by_a_browser_and_not_saved(bucket: str) -> None:
    store = open_evidence(f"s3://{bucket}/pci")
    store.write("index.html", b"<!doctype html>")
    store.write("latest.json", b"{}")
    client = boto3.client("s3")
    types = {key: client.head_object(Bucket=bucket, Key=f"pci/{key}")["ContentType"] for key in store.keys()}  # noqa: SIM118
    assert types["index.html"] == "text/html; charset=utf-8"
    assert "html" not in types["latest.json"]
