"""The profile of dbt is the run's: its values, and its AWS identity."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from tests.checkout import ROOT

from pci_log_review.cloudtrail.store import S3Store
from pci_log_review.common.aws import S3Place, s3_place
from pci_log_review.common.errors import UsageError
from pci_log_review.evidence.s3 import S3Evidence
from pci_log_review.review.options import EvidencePlace, RunOptions, open_run
from pci_log_review.warehouse.profile import AthenaConnection, read_profile


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """profiles.yml as it is shipped, in a folder of its own."""
    path = tmp_path / "profiles.yml"
    path.write_text((ROOT / "profiles.example.yml").read_text())
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    monkeypatch.setenv("PCI_LOG_REVIEW_ATHENA_RESULTS", "s3://results/")
    monkeypatch.setenv("PCI_LOG_REVIEW_ATHENA_DATA", "s3://tables/")
    return path


def test_every_client_of_a_run_has_the_identity_that_the_profile_names(
    profiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    credentials = tmp_path / "credentials"
    credentials.write_text(
        "[default]\naws_access_key_id=wrong\naws_secret_access_key=x\n"
        "[auditor]\naws_access_key_id=right\naws_secret_access_key=x\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    profiles.write_text(profiles.read_text() + "      aws_profile_name: auditor\n")
    options = RunOptions("s3://logs/a", "athena", EvidencePlace("s3://evidence"), state=tmp_path / "state")
    run = open_run(options)
    assert isinstance(run.logs, S3Store)
    assert isinstance(run.evidence, S3Evidence)
    found = run.session.get_credentials()
    clients = (run.logs._client, run.evidence._client)
    signers = [client._request_signer._credentials.access_key for client in clients]  # type: ignore[attr-defined]
    assert [found and found.access_key, *signers] == ["right"] * 3


@pytest.mark.parametrize("data_path", [None, "/nowhere"], ids=["without", "with AWS_DATA_PATH"])
def test_an_aws_profile_that_is_not_there_is_one_clear_line(
    profiles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data_path: str | None
) -> None:
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)
    if data_path:
        monkeypatch.setenv("AWS_DATA_PATH", data_path)
    profiles.write_text(profiles.read_text() + "      aws_profile_name: nobody\n")
    options = RunOptions("s3://logs/a", "athena", EvidencePlace("evidence"), state=tmp_path / "state")
    with pytest.raises(UsageError, match=r"^AWS: The config profile \(nobody\) could not be found$"):
        open_run(options)


@pytest.mark.usefixtures("profiles")
def test_values_are_those_that_dbt_gives_them() -> None:
    profile = read_profile("athena", ROOT, os.environ | {"PCI_LOG_REVIEW_ATHENA_POLL_SECONDS": "0.25"})
    assert isinstance(profile.connection, AthenaConnection)
    assert profile.connection.poll_interval == 0.25
    assert profile.connection.s3_data_dir == "s3://tables/"
    assert profile.aws_profile_name is None
    local = read_profile("local", ROOT, os.environ | {"PCI_LOG_REVIEW_STATE": "/srv/it's {here}"})
    assert local.connection == Path("/srv/it's {here}/review.duckdb")
    with pytest.raises(UsageError, match=r"path 'state/review\.duckdb' is not absolute; write "):
        read_profile("local", ROOT, {name: it for name, it in os.environ.items() if "STATE" not in name})


def test_no_bucket_is_named_for_whoever_names_none(profiles: Path) -> None:
    with pytest.raises(UsageError, match="the environment variable PCI_LOG_REVIEW_ATHENA_RESULTS has no value"):
        read_profile("athena", ROOT, {"PCI_LOG_REVIEW_ATHENA_DATA": "s3://tables/"})
    assert "'s3://" not in profiles.read_text()


@pytest.mark.parametrize(
    ("of_all_projects", "is_taken"), [(None, False), ("jaffle_shop: {}", False), ("pci_log_review: {}", True)]
)
def test_whoever_has_no_profile_for_this_project_has_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_all_projects: str | None, is_taken: bool
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / "profiles.example.yml", project)
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    theirs = tmp_path / ".dbt" / "profiles.yml"
    if of_all_projects:
        theirs.parent.mkdir()
        theirs.write_text(of_all_projects)
    if is_taken:
        with pytest.raises(UsageError, match=f"^{theirs}: cannot be read as a dbt profile"):
            read_profile("local", project, {"PCI_LOG_REVIEW_STATE": "/state"})
    else:
        profile = read_profile("local", project, {"PCI_LOG_REVIEW_STATE": "/state"})
        assert (profile.file, profile.directory) == (project / "profiles.example.yml", None)


def test_a_profile_in_the_working_folder_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBT_PROFILES_DIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "profiles.yml").write_text("pci_log_review: {}")
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(ROOT / "profiles.example.yml", project)
    assert read_profile("local", project, {"PCI_LOG_REVIEW_STATE": "/state"}).file.parent == project


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'PCI_LOG_REVIEW_STATE', 'state'", "'NOT_SET'", "the environment variable NOT_SET has no value"),
        ("{{ env_var('PCI_LOG_REVIEW_STATE', 'state') }}", "{{ nothing() }}", "'nothing' is undefined"),
        ("    local:", "    here:", "has no target 'local'; it has: here, athena"),
        ("type: duckdb", "kind: duckdb", "each output needs a type"),
        ("path:", "folder:", "the target local needs path"),
        ("pci_log_review:\n", "another:\n", "cannot be read as a dbt profile with pci_log_review: outputs"),
        ("  outputs:", " outputs", "cannot be read as a dbt profile"),
    ],
)
def test_what_is_wrong_with_the_file_is_one_clear_line(profiles: Path, old: str, new: str, said: str) -> None:
    text = profiles.read_text()
    assert old in text
    profiles.write_text(text.replace(old, new))
    with pytest.raises(UsageError) as refused:
        read_profile("local", ROOT, {})
    assert said in str(refused.value)
    assert str(refused.value).startswith(str(profiles))


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("s3://bucket", S3Place("bucket", "")),
        ("s3://bucket/", S3Place("bucket", "")),
        ("s3://bucket/a/b", S3Place("bucket", "a/b/")),
        ("s3://bucket//a b/", S3Place("bucket", "a b/")),
    ],
)
def test_a_place_in_s3_is_a_bucket_and_a_prefix(where: str, place: S3Place) -> None:
    assert s3_place(where) == place


@pytest.mark.parametrize("where", ["s3://", "s3:///a"])
def test_a_place_without_a_bucket_is_refused(where: str) -> None:
    with pytest.raises(ValueError, match="names no bucket; write s3://bucket or s3://bucket/prefix"):
        s3_place(where)
