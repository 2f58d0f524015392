"""Complete means proven: what is missing of the proof is a gap in verdict, evidence and message, each day."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import NO_TESTS, ROOT, SAMPLE_BUCKET, SAMPLE_KEYS, Checkout, Ended
from tests.evidence.test_notify import Webhook

from pci_log_review.evidence.chain import begin_chain
from pci_log_review.evidence.manifest import State
from pci_log_review.review import day as review
from pci_log_review.review.options import EvidencePlace, RunOptions, open_run
from pci_log_review.warehouse.dbt import Dbt, DbtResult

DAY, ACCOUNT = "2026-03-10", "444455556666"
NOT_PROVEN = "Not proven in 66 of 72 accounts x regions in scope: that no log file was changed, removed or withheld"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "sample_logs", tmp_path / "logs"))


def gaps_of(checkout: Checkout) -> list[str]:
    manifest = json.loads((checkout.evidence_of(DAY) / "manifest.json").read_text())
    assert manifest["state"] == ("incomplete" if manifest["gaps"] else "complete")
    return [str(gap) for gap in manifest["gaps"]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def told(webhook: Webhook) -> dict[str, Any]:
    [day] = webhook.posted[-1]["days"]
    return dict(day) | {"text": webhook.posted[-1]["text"]}


def test_what_the_proof_rests_on_is_sealed_and_what_it_does_not_prove_is_told(logs: Path, tmp_path: Path) -> None:
    checkout, webhook = Checkout.of(tmp_path), Webhook()

    def again(*arguments: str, **environment: str) -> Ended:
        settings = ("--settings", str(tmp_path / "settings"), "--notify-webhook", webhook.url)
        return checkout.review(DAY, logs, *settings, *arguments, **NO_TESTS, **environment)

    settings = Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))
    ended = again()
    assert ended.code == 0, ended.last_lines
    assert NOT_PROVEN in ended.last_lines
    assert told(webhook)["not_proven"] in ended.last_lines
    assert NOT_PROVEN in told(webhook)["text"]
    evidence = checkout.evidence_of(DAY)
    assert json.loads((evidence / "manifest.json").read_text())["not_proven"].startswith(NOT_PROVEN)
    assert checkout.run_json(DAY)["not_proven"].startswith(NOT_PROVEN)
    assert checkout.run_json(DAY)["logs_copied_from"] == f"{SAMPLE_BUCKET}/"
    [key] = rows(evidence / "public_keys.csv")
    listed = json.loads(SAMPLE_KEYS.read_text())["PublicKeyList"][0]
    assert (key["fingerprint"], key["source"]) == (listed["Fingerprint"], "a file, not AWS")
    trails = rows(evidence / "digests.csv")
    assert {(row["trail"], row["digests"], row["proving"]) for row in trails} == {
        ("example-pay-trail_us-east-1", "24", "24")
    }
    assert rows(evidence / "changed_files.csv") == []

    # whoever may delete in the bucket takes an account's digests, and a log file with them
    shutil.rmtree(logs / "AWSLogs" / ACCOUNT / "CloudTrail-Digest")
    next((logs / "AWSLogs" / ACCOUNT / "CloudTrail" / "us-east-1" / "2026" / "03" / "10").iterdir()).unlink()
    ended = again()
    assert ended.code == 3, ended.last_lines
    missing = [gap for gap in gaps_of(checkout) if "though digest_trails.csv expects them since 2026-03-10" in gap]
    assert len(missing) == 3
    assert all(gap.startswith(f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/") for gap in missing)
    assert checkout.rows("select distinct is_complete from daily_review") == [(False,)]
    assert "though digest_trails.csv expects them" in told(webhook)["text"]

    # somebody takes the account out of the settings: that is no way out without a reason
    for name in ("trail_scope", "digest_trails"):
        path = settings / f"{name}.csv"
        path.write_text("".join(line for line in path.open() if ACCOUNT not in line))
    shutil.rmtree(logs / "AWSLogs" / ACCOUNT)
    ended = again()
    assert ended.code == 3, ended.last_lines
    gaps = gaps_of(checkout)
    assert any(gap.startswith(f"settings: trail_scope.csv no longer has '{ACCOUNT} *'") for gap in gaps), gaps
    assert sum(gap.startswith("settings: digest_trails.csv no longer has 'example-pay-trail") for gap in gaps) == 3
    assert sum(gap.startswith("digests: none of example-pay-trail_us-east-1 AWSLogs/44") for gap in gaps) == 3
    assert len(gaps) == 7
    lines = [gap.rpartition("as in ")[2].replace(",why,who", ",The account is closed,me") for gap in gaps]
    with (settings / "settings_changes.csv").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)
    ended = again()
    assert ended.code == 0, ended.last_lines
    assert "The account is closed" in (checkout.evidence_of(DAY) / "settings" / "settings_changes.csv").read_text()

    # without keys, or without the place of the logs, nothing is proven
    for without in ("PCI_LOG_REVIEW_PUBLIC_KEYS", "PCI_LOG_REVIEW_LOGS_COPIED_FROM"):
        ended = again(**{without: ""})
        assert ended.code == 3, ended.last_lines
        assert sum("that prove nothing: " in gap for gap in gaps_of(checkout)) == 3


@pytest.fixture
def swapping(logs: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log file that is replaced, and put back, while dbt builds the day."""
    log = sorted(logs.glob(f"AWSLogs/*/CloudTrail/us-east-1/{DAY.replace('-', '/')}/*.json.gz"))[0]
    build = Dbt.build

    def swapped(*arguments: Any) -> DbtResult:
        before = log.read_bytes()
        log.write_bytes(b"")
        built = build(*arguments)
        log.write_bytes(before)
        return built

    monkeypatch.setattr(Dbt, "build", swapped)
    return log


def test_a_log_file_that_is_swapped_and_put_back_while_the_day_is_reviewed_is_a_gap_that_names_it(
    swapping: Path, logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "profiles.example.yml", tmp_path / "profiles.yml")
    for name, value in {"DBT_PROFILES_DIR": str(tmp_path), "PYTHONPATH": f"{ROOT / 'scripts'}", **NO_TESTS}.items():
        monkeypatch.setenv(name, value)
    options = RunOptions(
        str(logs), "local", EvidencePlace(str(tmp_path / "evidence")), state=tmp_path / "state",
        public_keys=SAMPLE_KEYS, logs_copied_from=SAMPLE_BUCKET,
    )  # fmt: skip
    run = open_run(options)
    run.state.mkdir()
    with run.evidence.lock(), Dbt(run.dbt, ()) as dbt:
        begin_chain(run.evidence)
        reviewed = review.review_day(run, dbt, date.fromisoformat(DAY), lambda _: None)
    assert reviewed.conclusion.state is State.INCOMPLETE
    log_file = swapping.relative_to(logs).as_posix()
    assert reviewed.conclusion.gaps == [f"{log_file} changed while the day was reviewed: review it again"]
    assert rows(Path(reviewed.evidence) / "changed_files.csv") == [{"log_file": log_file, "what": "changed"}]
