"""What a user gets wrong is exit 2 and a line that says what to do; nothing is sealed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import boto3
import pytest
from tests.checkout import ROOT, Checkout

from pci_log_review.cloudtrail.place import accounts
from pci_log_review.cloudtrail.store import LogStoreError, open_store
from pci_log_review.common.aws import named_place
from pci_log_review.common.errors import UsageError
from pci_log_review.common.project import home
from pci_log_review.review.options import EvidencePlace, Run, RunOptions, open_run
from pci_log_review.review.prechecks import check_run
from pci_log_review.warehouse.profile import AthenaConnection

pytestmark = pytest.mark.slow

SAMPLE = ROOT / "sample_logs"
SCOPE = "account_id,account_name,region,in_cde,logs_expected\n"
Opener = Callable[..., Run]


@pytest.fixture(autouse=True)
def _without_aws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials or region of AWS, wherever the test runs."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opener:
    """Opens a run of the sample logs, or of others."""
    shutil.copy(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))

    def run(logs: Path | str = SAMPLE, settings: Path | None = None) -> Run:
        evidence = EvidencePlace(str(tmp_path / "evidence"))
        return open_run(RunOptions(str(logs), "local", evidence, settings=settings, state=tmp_path / "state"))

    return run


def settings_with(folder: Path, scope: str) -> Path:
    shutil.copytree(ROOT / "seeds" / "settings", folder)
    (folder / "trail_scope.csv").write_text(SCOPE + scope)
    return folder


def refused(run: Run, first: date | None = None, since: date | None = None) -> str:
    with pytest.raises(UsageError) as error:
        check_run(run, first, since)
    assert not Path(run.evidence.where).exists()
    return str(error.value)


def test_the_sample_passes(opened: Opener) -> None:
    check_run(opened(), date(2026, 3, 9), date(2026, 3, 9))


@pytest.mark.parametrize(
    "below",
    [
        "AWSLogs",
        "AWSLogs/111122223333",
        "AWSLogs/111122223333/CloudTrail",
        "AWSLogs/111122223333/CloudTrail/us-east-1",
        "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/10",
    ],
)
def test_logs_that_lie_too_deep_name_the_place_to_give(opened: Opener, below: str) -> None:
    assert refused(opened(SAMPLE / below)).endswith(f"give the place that holds it, {SAMPLE}")


@pytest.mark.parametrize("above", ["a-bucket", "a-bucket/prefix"])
def test_logs_that_lie_too_high_name_the_place_to_give(opened: Opener, tmp_path: Path, above: str) -> None:
    place = tmp_path / "mount" / above
    shutil.copytree(SAMPLE / "AWSLogs" / "111122223333", place / "AWSLogs" / "111122223333")
    assert refused(opened(tmp_path / "mount")).endswith(f"; give {place}")


def test_accounts_without_the_folder_above_them_are_told(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "logs" / "111122223333" / "CloudTrail").mkdir(parents=True)
    assert "they have to lie in a folder AWSLogs/" in refused(opened(tmp_path / "logs"))


def test_a_place_of_other_logs_is_told(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "logs" / "AWSLogs" / "111122223333" / "vpcflowlogs").mkdir(parents=True)
    assert "has a folder CloudTrail/; is it the bucket of a trail?" in refused(opened(tmp_path / "logs"))


def test_a_folder_that_is_not_there_is_told_and_an_organizations_accounts_are_found(tmp_path: Path) -> None:
    with pytest.raises(LogStoreError, match="no folder at"):
        open_store(str(tmp_path / "none"))
    (tmp_path / "AWSLogs/o-a1b2c3d4e5/111122223333/CloudTrail").mkdir(parents=True)
    assert accounts(open_store(str(tmp_path))) == {"111122223333": "AWSLogs/o-a1b2c3d4e5/111122223333"}


def test_an_empty_scope_is_told(opened: Opener, tmp_path: Path) -> None:
    said = refused(opened(settings=settings_with(tmp_path / "settings", "")))
    assert "trail_scope.csv, line 1: is empty, so nothing would be reviewed" in said


def test_a_region_that_is_not_there_is_told(opened: Opener, tmp_path: Path) -> None:
    said = refused(opened(settings=settings_with(tmp_path / "s", "111122223333,,eu-west-11,true,daily\n")))
    assert "trail_scope.csv, line 2: region 'eu-west-11' is no region of AWS" in said
    assert "; is eu-west-1 meant?" in said


def test_a_region_that_aws_has_or_that_has_logs_is_taken(opened: Opener, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(SAMPLE, logs)
    (logs / "AWSLogs/111122223333/CloudTrail/eu-new-1").mkdir()
    lines = "".join(f"111122223333,,{region},true,daily\n" for region in ("us-gov-west-1", "cn-north-1", "eu-new-1"))
    check_run(opened(logs, settings_with(tmp_path / "settings", lines)), None, None)


@pytest.mark.parametrize(
    ("logs", "fault"),
    [
        ("s3a://bucket/trail", "write s3://bucket/trail"),
        ("S3://bucket", "write s3://bucket"),
        ("https://bucket.s3.amazonaws.com/", "write s3://bucket/prefix"),
        ("arn:aws:s3:us-east-1:111122223333:accesspoint/logs", "is an ARN; write s3://"),
        ("s3://arn:aws:s3:us-east-1:111122223333:accesspoint/logs", "is an ARN; write s3://"),
    ],
)
def test_a_place_of_logs_in_another_form_is_told_in_one_line(logs: str, fault: str) -> None:
    with pytest.raises(UsageError) as raised:
        named_place("logs", logs)
    assert fault in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "\x1b[31m", "\x85", "\u2028", "\udcff"])
def test_a_path_that_is_not_one_line_is_refused_in_one(name: str) -> None:
    with pytest.raises(
        UsageError, match=r"^logs: /.*: the path has a line break, a control character or a byte "
    ) as told:
        named_place("logs", f"/mnt/{name}/logs")
    assert str(told.value).isprintable()


@pytest.mark.parametrize("logs", ["s3://bucket/a", "logs", "/a:b/arn", "./arn:x"])
def test_a_bucket_and_a_folder_are_places_of_logs(logs: str) -> None:
    assert named_place("logs", logs) == (logs if logs.startswith("s3:") else str(Path(logs).absolute()))


def test_a_user_without_a_home_is_given_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(user: int) -> None:
        raise KeyError(user)

    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert home(tmp_path) == tmp_path


def test_the_settings_of_the_sample_with_other_logs_are_told(opened: Opener, tmp_path: Path) -> None:
    (tmp_path / "logs/AWSLogs/123456789012/CloudTrail/us-east-1").mkdir(parents=True)
    said = refused(opened(tmp_path / "logs"))
    assert "those of the sample logs name none of the accounts whose logs these are (123456789012)" in said
    assert "pci-log-review init --logs" in said


def test_a_day_before_the_trail_is_told(opened: Opener) -> None:
    said = "is before the first day with logs of an account in scope, 2026-03-09"
    assert said in refused(opened(), first=date(2020, 1, 1))
    assert said in refused(opened(), since=date(2026, 3, 8))


def test_missing_credentials_are_told(opened: Opener) -> None:
    assert "AWS: no credentials" in refused(replace(opened(), logs=open_store("s3://example", _session())))


@pytest.mark.usefixtures("s3")
def test_a_bucket_that_is_not_there_is_told(opened: Opener) -> None:
    said = refused(replace(opened(), session=_session(), logs=open_store("s3://no-such-bucket", _session())))
    assert "logs: cannot list s3://no-such-bucket/AWSLogs/" in said
    assert "NoSuchBucket" in said


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("", "/a/prefix"),
        ("/a", "/a/prefix"),
        ("/a/prefix/AWSLogs", "/a/prefix"),
        ("/a/prefix/AWSLogs/1/x", "/a/prefix"),
    ],
)
@pytest.mark.usefixtures("s3")
def test_a_prefix_that_lies_too_deep_or_too_high_names_the_one_to_give(opened: Opener, given: str, meant: str) -> None:
    client = boto3.client("s3")
    client.create_bucket(Bucket="trail-logs")
    client.put_object(Bucket="trail-logs", Key="a/prefix/AWSLogs/111122223333/CloudTrail/us-east-1/x", Body=b"x")
    run = replace(opened(), session=_session(), logs=open_store(f"s3://trail-logs{given}", _session()))
    assert refused(run).endswith(f"s3://trail-logs{meant}")


def test_an_aws_region_that_is_not_there_is_told(opened: Opener) -> None:
    run = opened()
    athena = AthenaConnection("eu-west-11", "primary", "default", "s3://a/", "s3://b/", 1.0)
    said = refused(replace(run, profile=replace(run.profile, connection=athena)))
    assert "region_name 'eu-west-11' is no region of AWS; is eu-west-1 meant?" in said
    run = replace(run, session=_session("eu-west-11"), logs=open_store("s3://example", _session()))
    assert "AWS: the region 'eu-west-11' is no region of AWS" in refused(run)


def _session(region: str = "us-east-1") -> boto3.Session:
    return boto3.Session(region_name=region)


def test_the_command_line_ends_with_exit_2_and_seals_nothing(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    ended = checkout.review("2026-03-10", SAMPLE / "AWSLogs")
    assert ended.code == 2, ended.text
    [line] = [line for line in ended.text.splitlines() if line.startswith("pci-log-review: ")]
    assert line.endswith(f"give the place that holds it, {SAMPLE}")
    assert not checkout.evidence.exists()
