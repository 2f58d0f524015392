"""The container's entry: settings from S3, then the command line in its place."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from deploy.entry import fetch_settings
from moto import mock_aws
from tests.checkout import ROOT

from pci_log_review.common.errors import UsageError
from pci_log_review.settings.checks import check_settings


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
        client.create_bucket(Bucket="settings")
        yield client


def put(s3: Any, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket="settings", Key=key, Body=key.encode())


@pytest.mark.parametrize("where", ["s3://settings/of/us", "s3://settings/of/us/"])
def test_the_settings_are_the_csv_files_directly_below_the_prefix(s3: Any, where: str, tmp_path: Path) -> None:
    put(s3, "of/us/trail_scope.csv", "of/us/notes.txt", "of/us/old/trail_scope.csv", "of/us2/trail_scope.csv", "of/us/")
    fetch_settings(where, tmp_path, s3)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"trail_scope.csv": "of/us/trail_scope.csv"}


@pytest.mark.parametrize("where", ["s3://settings/empty", "s3://no-such-bucket/settings", "s3://"])
def test_where_no_settings_can_be_had_one_line_names_the_place(s3: Any, where: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        fetch_settings(where, tmp_path, s3)
    assert str(raised.value).startswith(f"settings: {where} ")
    assert "\n" not in str(raised.value)


def entry(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PCI_LOG_REVIEW_")}
    command = [sys.executable, str(ROOT / "deploy" / "entry.py"), *arguments]
    env = inherited | {"PYTHONPATH": str(ROOT / "scripts")} | environment
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_without_settings_the_run_ends_with_a_json_line_and_the_code_of_wrong_usage() -> None:
    ended = entry("run", PCI_LOG_REVIEW_SETTINGS="s3://", AWS_REGION="us-east-1")
    [line] = ended.stdout.splitlines()
    assert ended.returncode == 2
    assert json.loads(line)["event"] == "failed"
    assert "settings: s3:// can't be read" in json.loads(line)["reasons"][0]


def test_the_command_line_takes_the_place_of_the_entry() -> None:
    ended = entry("run", PCI_LOG_REVIEW_LOGS="/no/such/logs", PCI_LOG_REVIEW_LOG_FORMAT="json")
    assert ended.returncode == 2, ended.stderr
    assert "/no/such/logs" in json.loads(ended.stdout)["reasons"][0]


def test_the_lines_for_the_reviews_own_reads_are_valid_settings(tmp_path: Path) -> None:
    lines = [
        line for line in (ROOT / "docs" / "deploy.md").read_text().splitlines() if line.startswith("10.2.1.3,role,")
    ]
    assert len(lines) == 4
    for file in (ROOT / "seeds" / "settings").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    path = tmp_path / "expected_activity.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n" + "\n".join(lines) + "\n")
    assert check_settings(tmp_path) == []
