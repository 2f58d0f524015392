"""The listing names every file that was delivered on the day, and only those, wherever the logs lie."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
from dataclasses import replace
from datetime import date
from pathlib import Path

import boto3
import pytest
from moto.s3.models import s3_backends

from pci_log_review.cloudtrail.deliveries import Delivery, deliveries
from pci_log_review.cloudtrail.kinds import KINDS
from pci_log_review.cloudtrail.store import LogStoreError, open_store
from pci_log_review.cloudtrail.strays import NOT_REVIEWED

from .native_logs import ACCOUNT, DAY, REGION, folder_of, put, put_in_bucket

pytestmark = pytest.mark.slow

NAME = f"{ACCOUNT}_CloudTrail_us-east-1_20260310T1205Z_abcdefghijklmnop.json.gz"
KEY = f"{folder_of()}/{NAME}"


def listed(root: Path | str, day: date = DAY) -> list[Delivery]:
    """The day's deliveries, without when they were written, and without the ETag that S3 alone has."""
    return [replace(delivery, etag=None, modified=None) for delivery in deliveries(open_store(str(root)), day)]


def keys(root: Path | str, day: date = DAY) -> list[str]:
    return [delivery.log_file for delivery in listed(root, day)]


def refused(root: Path | str) -> str:
    with pytest.raises(LogStoreError) as error:
        listed(root)
    assert "\n" not in str(error.value), "the reason is one line"
    return str(error.value)


# -------------------------------------------------------------------------------------------------------- the layout
def test_a_file_is_listed_with_its_account_region_kind_and_size(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"four")
    assert listed(tmp_path) == [Delivery(KEY, ACCOUNT, REGION, "log", 4)]


def test_only_the_day_is_listed(tmp_path: Path) -> None:
    days = [date(2026, 3, 9), DAY, date(2026, 3, 11), date(2025, 3, 10)]
    names = [put(tmp_path, f"{folder_of(day=day)}/a.json.gz", b"x") for day in days]
    assert [keys(tmp_path, day) for day in days] == [[name] for name in names]


def test_a_day_without_files_is_empty(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    assert listed(tmp_path, date(2020, 1, 1)) == []


def test_the_folder_of_an_organization_may_stand_above_the_accounts(tmp_path: Path) -> None:
    inside = folder_of().replace("AWSLogs/", "AWSLogs/o-ab12cd34ef/")
    put(tmp_path, f"{inside}/a.json.gz", b"x")
    put(tmp_path, f"{folder_of('444455556666')}/b.json.gz", b"x")
    assert listed(tmp_path) == [
        Delivery(f"{folder_of('444455556666')}/b.json.gz", "444455556666", REGION, "log", 1),
        Delivery(f"{inside}/a.json.gz", ACCOUNT, REGION, "log", 1),
    ]


def test_two_organizations_are_both_listed(tmp_path: Path) -> None:
    for organization in ("o-aaaaaaaaaa", "o-bbbbbbbbbb"):
        put(tmp_path, f"{folder_of().replace('AWSLogs', f'AWSLogs/{organization}')}/a.json.gz", b"x")
    assert len(listed(tmp_path)) == 2


def test_each_kind_is_listed_as_what_it_is(tmp_path: Path) -> None:
    for kind in KINDS:
        put(tmp_path, f"{folder_of(kind=kind)}/a.json.gz", b"x")
    kinds = [delivery.kind for delivery in listed(tmp_path)]
    assert kinds == ["aggregated", "digest", "insight", "network-activity", "log"]


def test_a_kind_of_cloudtrail_that_is_not_known_yet_is_named(tmp_path: Path) -> None:
    put(tmp_path, f"{folder_of(kind='CloudTrail-Other')}/a.json.gz", b"x")
    [delivery] = listed(tmp_path)
    assert (delivery.kind, delivery.region, delivery.problem) == ("log", REGION, NOT_REVIEWED)


def test_other_services_logs_in_the_bucket_are_left_alone(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    for kind in ("Config", "elasticloadbalancing", "vpcflowlogs", "CloudTrailish"):
        put(tmp_path, f"{folder_of(kind=kind)}/a.json.gz", b"x")
    assert keys(tmp_path) == [KEY]


@pytest.mark.parametrize("account", ["-", "XXXX", "o-short", "O-AB12CD34EF", "123", "ünïcode", "a b", "$HOME", "..."])
def test_an_odd_account_is_listed_as_it_is(tmp_path: Path, account: str) -> None:
    put(tmp_path, f"{folder_of(account)}/a.json.gz", b"x")
    assert [delivery.account_id for delivery in listed(tmp_path)] == [account]


def test_hidden_files_are_named_as_athena_does_not_read_them(tmp_path: Path) -> None:
    names = ("_SUCCESS", ".a.json.gz.crc", "_a.json.gz", "_temporary/0/a.json.gz", ".tmp/a.json.gz", "..x/a.json.gz")
    hidden = [put(tmp_path, f"{folder_of()}/{name}", b"x") for name in names]
    put(tmp_path, KEY, b"x")
    assert keys(tmp_path) == sorted([KEY, *hidden])
    assert [file.log_file for file in listed(tmp_path) if not file.problem] == [KEY]
    assert {file.problem for file in listed(tmp_path)} == {None, NOT_REVIEWED}


REGION_FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}"
STRAYS = {
    # the day's own, where no trail writes
    f"{REGION_FOLDER}/2026/3/10/a.json.gz": True,
    f"{REGION_FOLDER}/2026/03/010/a": True,
    f"{REGION_FOLDER}/02026/3/10/a": True,
    f"{REGION_FOLDER}/_x/2026/03/10/a": True,
    f"{REGION_FOLDER}/more/2026/03/10/{NAME}": True,
    f"{REGION_FOLDER}/2026/03/{NAME}": True,
    f"{REGION_FOLDER}/{NAME}": True,
    f"AWSLogs/{ACCOUNT}/CloudTrail/{NAME}": True,
    f"AWSLogs/{ACCOUNT}/{NAME}": True,
    f"AWSLogs/{NAME}": True,
    f"AWSLogs/o-ab12cd34ef/{NAME}": True,
    f"AWSLogs/{ACCOUNT}/cloudtrail/{REGION}/2026/03/10/a.json.gz": True,
    f"AWSLogs/{ACCOUNT}/CLOUDTRAIL/{REGION}/2026/3/10/a.json.gz": True,
    f"AWSLogs/{ACCOUNT}/_x/{REGION}/2026/03/10/a.json.gz": True,
    f"AWSLogs/{ACCOUNT}/..x/a/b/c/{NAME}": True,
    f"AWSLogs/_x/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/{NAME}": True,
    f"AWSLogs/more/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/{NAME}": True,
    # of no day that can be told
    f"{REGION_FOLDER}/a.json.gz": True,
    f"{REGION_FOLDER}/_x/a.json": True,
    # of another day, or no log files
    f"{REGION_FOLDER}/2026/3/9/a.json.gz": False,
    f"{REGION_FOLDER}/2026/03/9/a.json.gz": False,
    f"{REGION_FOLDER}/{NAME.replace('20260310', '20260309')}": False,
    f"{REGION_FOLDER}/readme.txt": False,
    f"AWSLogs/{ACCOUNT}/Config/{REGION}/2026/3/10/a.json.gz": False,
}


def test_files_where_no_trail_writes_are_named_if_they_may_be_of_the_day(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    for key in STRAYS:
        put(tmp_path, key, b"four")
    found = {file.log_file: file for file in listed(tmp_path)}
    assert sorted(found) == sorted([KEY, *(key for key, is_named in STRAYS.items() if is_named)])
    assert found.pop(KEY).problem is None
    assert {(file.problem, file.kind, file.size) for file in found.values()} == {(NOT_REVIEWED, "log", 4)}
    first = found[f"{REGION_FOLDER}/2026/3/10/a.json.gz"]
    assert (first.account_id, first.region) == (ACCOUNT, REGION)
    lower = found[f"AWSLogs/{ACCOUNT}/cloudtrail/{REGION}/2026/03/10/a.json.gz"]
    assert (lower.account_id, lower.region) == (ACCOUNT, REGION)


@pytest.mark.usefixtures("s3")
def test_a_bucket_names_the_same_files_where_no_trail_writes(tmp_path: Path) -> None:
    for key in [KEY, *STRAYS]:
        put(tmp_path, key, b"four")
    assert listed(put_in_bucket(tmp_path, "strays", "trail/")) == listed(tmp_path)


def test_every_other_file_is_listed_whatever_its_name(tmp_path: Path) -> None:
    names = [
        "a.json.gz",
        "a.json",
        "README",
        "a.json.gz.tmp",
        "~a",
        " ",
        "a b'\"\\;--.json.gz",
        "a\nb.json.gz",
        "é.json.gz",
    ]
    wanted = sorted(put(tmp_path, f"{folder_of()}/{name}", b"x") for name in names)
    assert keys(tmp_path) == wanted


def test_files_in_folders_of_the_day_are_listed_as_athena_reads_them(tmp_path: Path) -> None:
    wanted = [
        put(tmp_path, f"{folder_of()}/12/{NAME}", b"x"),
        put(tmp_path, f"{folder_of()}/{NAME}/part.json.gz", b"x"),
    ]
    assert keys(tmp_path) == sorted(wanted)


def test_folders_nested_deeper_than_python_calls_itself_are_listed(tmp_path: Path) -> None:
    top = tmp_path / folder_of()
    top.mkdir(parents=True)
    deep = "/".join(["d"] * 1_200)
    try:
        subprocess.run(["mkdir", "-p", deep], cwd=top, check=True)
        Path(f"{top}/{deep}/a.json.gz").write_bytes(b"x")
        assert keys(tmp_path) == [f"{folder_of()}/{deep}/a.json.gz"]
    finally:
        subprocess.run(["rm", "-r", "d"], cwd=top, check=True)  # pytest could not


def test_files_that_stand_where_folders_are_usual_change_nothing(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    for odd in (
        "AWSLogs/readme.txt",
        f"AWSLogs/{ACCOUNT}/readme.txt",
        f"AWSLogs/{ACCOUNT}/CloudTrail/readme.txt",
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026",
        f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-2/2026/03/10",
        "AWSLogs/444455556666",
    ):
        put(tmp_path, odd, b"x")
    assert keys(tmp_path) == [KEY]


# ------------------------------------------------------------------------------------------------------- wrong roots
def test_a_wrong_root_is_one_clear_line(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"logs: no AWSLogs/ with accounts below {tmp_path}; name the folder that holds it"
    assert refused(tmp_path / "none") == (f"logs: no folder at {tmp_path}/none; name the folder that holds AWSLogs/")


@pytest.mark.parametrize("inside", ["AWSLogs", f"AWSLogs/{ACCOUNT}", folder_of()])
def test_a_root_inside_the_logs_is_a_wrong_root(tmp_path: Path, inside: str) -> None:
    put(tmp_path, KEY, b"x")
    assert "no AWSLogs/" in refused(tmp_path / inside)


def test_an_awslogs_without_accounts_is_a_wrong_root(tmp_path: Path) -> None:
    put(tmp_path, "AWSLogs/readme.txt", b"x")
    assert "no AWSLogs/" in refused(tmp_path)


def test_an_awslogs_that_is_a_file_is_a_wrong_root(tmp_path: Path) -> None:
    put(tmp_path, "AWSLogs", b"x")
    assert "no AWSLogs/" in refused(tmp_path)


def test_a_root_that_is_a_file_is_a_wrong_root(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    assert refused(tmp_path / KEY).startswith("logs: no folder at ")


# ------------------------------------------------------------------------------------------------- odd things on disk
def test_a_link_to_a_file_is_read_and_a_link_to_nothing_is_listed(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere", b"12345")
    day = tmp_path / folder_of()
    day.mkdir(parents=True)
    (day / "a.json.gz").symlink_to(tmp_path / "elsewhere")
    (day / "b.json.gz").symlink_to(tmp_path / "nowhere")
    assert [(file.log_file, file.size) for file in listed(tmp_path)] == [
        (f"{folder_of()}/a.json.gz", 5),
        (f"{folder_of()}/b.json.gz", 0),
    ]
    assert open_store(str(tmp_path)).read(f"{folder_of()}/a.json.gz") == b"12345"
    with pytest.raises(LogStoreError, match="cannot be read: No such file"):
        open_store(str(tmp_path)).read(f"{folder_of()}/b.json.gz")


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    (tmp_path / folder_of() / "circle").symlink_to(tmp_path)
    (tmp_path / folder_of() / "self").symlink_to("self")
    assert keys(tmp_path) == [KEY, f"{folder_of()}/circle", f"{folder_of()}/self"]
    for odd in ("circle", "self"):
        with pytest.raises(LogStoreError, match="cannot be read"):
            open_store(str(tmp_path)).read(f"{folder_of()}/{odd}")


def test_a_linked_account_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "disk", KEY, b"x")
    (tmp_path / "AWSLogs").mkdir()
    (tmp_path / "AWSLogs" / ACCOUNT).symlink_to(tmp_path / "disk" / "AWSLogs" / ACCOUNT)
    assert keys(tmp_path) == [KEY]


def test_a_pipe_or_a_socket_is_listed_and_never_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, KEY, b"x")
    monkeypatch.chdir(tmp_path / folder_of())  # the path of a socket must be short
    os.mkfifo("pipe.json.gz")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.json.gz")
        assert [key.rpartition("/")[2] for key in keys(tmp_path)] == [NAME, "pipe.json.gz", "socket.json.gz"]
        for odd in ("pipe", "socket"):
            with pytest.raises(LogStoreError, match="not a regular file"):
                open_store(str(tmp_path)).read(f"{folder_of()}/{odd}.json.gz")


def test_a_name_that_is_no_text_is_listed_readably(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    Path(os.fsdecode(os.fsencode(tmp_path / folder_of()) + b"/a\xff.json.gz")).write_bytes(b"x")
    put(tmp_path, os.fsdecode(b"AWSLogs/\xfe/CloudTrail/us-east-1/2026/03/10/a.json.gz"), b"x")
    found = listed(tmp_path)
    assert [file.log_file.encode() for file in found] == [
        KEY.encode(),
        f"{folder_of()}/a\\xff.json.gz".encode(),
        b"AWSLogs/\\xfe/CloudTrail/us-east-1/2026/03/10/a.json.gz",
    ]
    assert found[2].account_id == "\\xfe"


def test_a_folder_that_may_not_be_listed_stops_the_run(unprivileged: Path) -> None:
    put(unprivileged, KEY, b"x")
    closed = unprivileged / folder_of()
    closed.chmod(0)
    try:
        assert refused(unprivileged) == f"logs: cannot list {folder_of()}: Permission denied"
    finally:
        closed.chmod(0o700)


# ----------------------------------------------------------------------------------------------------------------- S3
def many(root: Path) -> None:
    for account in (ACCOUNT, "444455556666", "-", "XXXX"):
        for region in (REGION, "eu-west-1"):
            for kind in ("CloudTrail", "CloudTrail-Digest", "CloudTrail-Insight", "Config"):
                put(
                    root,
                    f"{folder_of(account, region, kind=kind)}/{account} {region}'\"%é+&.json.gz",
                    b"x" * len(region),
                )
    put(root, f"{folder_of().replace('AWSLogs', 'AWSLogs/o-ab12cd34ef')}/a.json.gz", b"x")
    put(root, f"{folder_of()}/below/a.json.gz", b"x")
    put(root, f"{folder_of()}/_hidden.json.gz", b"x")
    put(root, f"{folder_of(day=date(2026, 3, 1))}/a.json.gz", b"x")
    put(root, "AWSLogs/readme.txt", b"x")


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("prefix", ["", "trail/", "a b/ü/"])
def test_a_folder_and_a_bucket_give_the_same_list(tmp_path: Path, prefix: str) -> None:
    many(tmp_path)
    logs = put_in_bucket(tmp_path, f"same-list-{len(prefix)}", prefix)
    assert len(listed(tmp_path)) == 27
    assert listed(logs) == listed(logs + "/") == listed(tmp_path)


@pytest.mark.usefixtures("s3")
def test_more_keys_than_one_answer_holds_are_all_listed(tmp_path: Path) -> None:
    wanted = [put(tmp_path, f"{folder_of()}/{number}.json.gz", b"x") for number in range(2_001)]
    logs = put_in_bucket(tmp_path / "nothing", "many-keys")
    put_directly("many-keys", wanted)
    assert keys(logs) == sorted(wanted)
    assert listed(logs) == listed(tmp_path)


@pytest.mark.usefixtures("s3")
def test_more_accounts_than_one_answer_holds_are_all_found() -> None:
    wanted = [f"{number:012}" for number in range(1_001)]
    boto3.client("s3").create_bucket(Bucket="many-accounts")
    put_directly("many-accounts", [f"{folder_of(account)}/a.json.gz" for account in wanted])
    assert open_store("s3://many-accounts").folders("AWSLogs") == wanted


def put_directly(bucket: str, keys: list[str]) -> None:
    """Puts objects past HTTP into the S3 that answers, which runs in this process: thousands of them take long."""
    for key in keys:
        s3_backends["123456789012"]["aws"].put_object(bucket, key, b"x")


@pytest.mark.usefixtures("s3")
def test_a_prefix_beside_the_prefix_is_not_read(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    logs = put_in_bucket(tmp_path, "prefixes", "trail/")
    boto3.client("s3").put_object(Bucket="prefixes", Key=f"trail-old/{KEY}", Body=b"x")
    assert keys(logs) == [KEY]
    assert "no AWSLogs/" in refused("s3://prefixes/tra")
    assert "no AWSLogs/" in refused("s3://prefixes")


@pytest.mark.usefixtures("s3")
def test_the_consoles_folder_markers_are_no_files(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    logs = put_in_bucket(tmp_path, "markers")
    folder = ""
    for part in folder_of().split("/"):
        folder += f"{part}/"
        boto3.client("s3").put_object(Bucket="markers", Key=folder)
    boto3.client("s3").put_object(Bucket="markers", Key=f"{folder}below/")
    assert keys(logs) == [KEY]


@pytest.mark.usefixtures("s3")
def test_s3_tells_each_files_etag_and_a_folder_has_none(tmp_path: Path) -> None:
    many(tmp_path)
    logs = put_in_bucket(tmp_path, "with-etags", "")
    for delivery in deliveries(open_store(logs), DAY):
        assert delivery.etag == hashlib.md5((tmp_path / delivery.log_file).read_bytes()).hexdigest()  # noqa: S324  # S3's
    assert {delivery.etag for delivery in deliveries(open_store(str(tmp_path)), DAY)} == {None}


@pytest.mark.usefixtures("s3")
def test_keys_that_no_folder_could_have_are_listed(tmp_path: Path) -> None:
    put(tmp_path, KEY, b"x")
    logs = put_in_bucket(tmp_path, "odd-keys")
    odd = [
        f"{folder_of()}//a.json.gz",
        f"{folder_of()}/b/",
        f"{folder_of()}/../c.json.gz",
        "AWSLogs//CloudTrail/x/2026/03/10/d",
    ]
    for key in odd:
        boto3.client("s3").put_object(Bucket="odd-keys", Key=key, Body=b"x")
    assert set(keys(logs)) >= {KEY, odd[0], odd[1], odd[3]}
    assert open_store(logs).read(odd[0]) == b"x"


@pytest.mark.usefixtures("s3")
def test_a_wrong_bucket_is_one_clear_line() -> None:
    assert "cannot list s3://no-such-bucket/AWSLogs/" in refused("s3://no-such-bucket")
    assert refused("s3://") == "logs: s3:// names no bucket; write s3://bucket or s3://bucket/prefix"
    boto3.client("s3").create_bucket(Bucket="empty-bucket")
    assert "no AWSLogs/ with accounts below s3://empty-bucket" in refused("s3://empty-bucket")


def test_an_s3_that_can_not_be_reached_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert "Could not connect" in refused("s3://bucket")
