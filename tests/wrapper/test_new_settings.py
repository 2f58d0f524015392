"""`init` writes settings that fit the logs it was shown."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.checkout import ROOT, Checkout


def test_init_writes_valid_settings_with_the_accounts_and_regions_found(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    ended = checkout.run("init", "--logs", str(ROOT / "sample_logs"), "--settings", str(tmp_path / "mine"))
    assert ended.code == 0, ended.text
    with (tmp_path / "mine" / "trail_scope.csv").open() as file:
        scope = [(row["account_id"], row["region"], row["logs_expected"]) for row in csv.DictReader(file)]
    for account_id in ("111122223333", "444455556666"):
        assert [line[1:] for line in scope if line[0] == account_id] == [
            ("ap-southeast-2", "daily"),
            ("eu-west-1", "daily"),
            ("us-east-1", "daily"),
            ("*", "may be quiet"),
        ]


def test_init_expects_the_digests_that_it_sees(tmp_path: Path) -> None:
    Checkout.of(tmp_path).run("init", "--logs", str(ROOT / "sample_logs"), "--settings", str(tmp_path / "mine"))
    shipped = (ROOT / "seeds" / "settings" / "digest_trails.csv").read_text()
    assert (tmp_path / "mine" / "digest_trails.csv").read_text() == shipped
    assert shipped.count("example-pay-trail,us-east-1,") == 6


def test_init_never_overwrites_settings(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "administrators.csv").write_text("principal,description\n%:user/me,me\n")
    ended = checkout.run("init", "--logs", str(ROOT / "sample_logs"), "--settings", str(mine))
    assert ended.code == 2
    assert "has administrators.csv already; nothing was written" in ended.text
    assert [path.name for path in mine.iterdir()] == ["administrators.csv"]


def test_init_names_a_wrong_folder(tmp_path: Path) -> None:
    ended = Checkout.of(tmp_path).run("init", "--logs", str(tmp_path), "--settings", str(tmp_path / "mine"))
    assert ended.code == 2
    assert "no AWSLogs/" in ended.text
