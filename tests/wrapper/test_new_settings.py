"""`init` writes settings that fit the logs it was shown."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from tests.checkout import ROOT, Checkout

from pci_log_review.common.errors import UsageError
from pci_log_review.settings.checks import FILES, check_settings
from pci_log_review.settings.new import write_settings

pytestmark = pytest.mark.slow


def test_init_writes_valid_settings_with_the_accounts_and_regions_found(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    ended = checkout.run("init", "--logs", str(ROOT / "sample_logs"), "--settings", str(tmp_path / "mine"))
    assert ended.code == 0, ended.text
    assert "The newest day with logs is 2026-03-11." in ended.text
    with (tmp_path / "mine" / "trail_scope.csv").open() as file:
        scope = [(row["account_id"], row["region"], row["logs_expected"]) for row in csv.DictReader(file)]
    for account_id in ("111122223333", "444455556666"):
        assert [line[1:] for line in scope if line[0] == account_id] == [
            ("ap-southeast-2", "may be quiet"),  # seen on one day alone
            ("eu-west-1", "daily"),
            ("us-east-1", "daily"),
            ("*", "may be quiet"),
        ]


def test_init_expects_the_digests_that_it_sees(tmp_path: Path) -> None:
    Checkout.of(tmp_path).run("init", "--logs", str(ROOT / "sample_logs"), "--settings", str(tmp_path / "mine"))
    shipped = (ROOT / "seeds" / "settings" / "digest_trails.csv").read_text()
    assert (tmp_path / "mine" / "digest_trails.csv").read_text() == shipped
    assert shipped.count("example-pay-trail,us-east-1,") == 6


def test_the_readme_of_settings_describes_every_file_and_column_and_is_written_by_init(tmp_path: Path) -> None:
    logs_on(tmp_path / "logs", "2026/03/10")
    write_settings(str(tmp_path / "logs"), tmp_path / "mine")
    text = (tmp_path / "mine" / "README.md").read_text()
    for name, columns in FILES.items():
        section = text.partition(f"## {name}.csv\n")[2].partition("\n## ")[0]
        assert re.findall(r"^\| `(\w+)` \| \S", section, re.MULTILINE) == list(columns)
    assert text == (ROOT / "seeds" / "settings" / "README.md").read_text(), (
        "make settings-docs writes the sample's anew"
    )


def test_init_leaves_a_readme_that_is_there(tmp_path: Path) -> None:
    logs_on(tmp_path / "logs", "2026/03/10")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README.md").write_text("ours")
    write_settings(str(tmp_path / "logs"), tmp_path / "mine")
    assert (tmp_path / "mine" / "README.md").read_text() == "ours"


def test_init_never_overwrites_settings(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "administrators.csv").write_text(
        "principal_kind,principal_account,principal_name,description\nuser,111122223333,me,me\n"
    )
    ended = checkout.run("init", "--logs", str(ROOT / "sample_logs"), "--settings", str(mine))
    assert ended.code == 2
    assert "has administrators.csv already; nothing was written" in ended.text
    assert [path.name for path in mine.iterdir()] == ["administrators.csv"]


def test_init_names_a_wrong_folder(tmp_path: Path) -> None:
    ended = Checkout.of(tmp_path).run("init", "--logs", str(tmp_path), "--settings", str(tmp_path / "mine"))
    assert ended.code == 2
    assert "no AWSLogs/" in ended.text


def logs_on(logs: Path, *days: str, account: str = "111122223333", region: str = "us-east-1") -> None:
    for day in days:
        (logs / f"AWSLogs/{account}/CloudTrail/{region}/{day}").mkdir(parents=True)


def expected_of(logs: Path, settings: Path) -> dict[str, str]:
    write_settings(str(logs), settings)
    assert not check_settings(settings)
    with (settings / "trail_scope.csv").open() as file:
        return {row["region"]: row["logs_expected"] for row in csv.DictReader(file)}


def test_init_expects_daily_logs_of_a_region_that_had_some_on_most_days(tmp_path: Path) -> None:
    logs_on(tmp_path, *(f"2026/03/{day:02}" for day in range(1, 11)))
    logs_on(tmp_path, "2026/03/02", "2026/03/05", region="eu-west-1")
    logs_on(tmp_path, "2026/03/10", region="eu-north-1")
    logs_on(tmp_path, "2026/03/08", "2026/03/10", region="sa-east-1")
    logs_on(tmp_path, "2026/01/01", "2026/01/02", region="ap-east-1")
    assert expected_of(tmp_path, tmp_path / "settings") == {
        "us-east-1": "daily",
        "eu-west-1": "may be quiet",
        "eu-north-1": "may be quiet",  # once
        "sa-east-1": "daily",  # since it was first seen
        "ap-east-1": "may be quiet",  # long ago
        "*": "may be quiet",
    }


def test_init_expects_daily_logs_where_only_one_day_was_seen(tmp_path: Path) -> None:
    logs_on(tmp_path, "2026/03/10")
    assert expected_of(tmp_path, tmp_path / "settings") == {"us-east-1": "daily", "*": "may be quiet"}


@pytest.mark.parametrize("folder", ["AWSLogs/elasticloadbalancing", "AWSLogs/111122223333/vpcflowlogs/us-east-1"])
def test_init_that_finds_no_account_writes_nothing(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    with pytest.raises(UsageError, match="nothing was written"):
        write_settings(str(tmp_path), tmp_path / "settings")
    assert not (tmp_path / "settings").exists()
