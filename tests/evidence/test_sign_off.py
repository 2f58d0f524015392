"""A person's decisions: complete, bound to what was reviewed, never changed."""

from __future__ import annotations

import json
import os
import pwd
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner
from tests.evidence.sealed_days import day, seal, sign

from pci_log_review.cli import main
from pci_log_review.common.errors import UsageError
from pci_log_review.evidence.history import Day, history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.sign_off import Decision, parse_decision, sign_off
from pci_log_review.evidence.signature import Verdict
from pci_log_review.evidence.signer import signer
from pci_log_review.evidence.store import EvidenceStore

UNEXPECTED = {"10.2.1.4": 2, "10.2.1.5": 0, "10.2.1.6": 1}
INCIDENT = parse_decision("10.2.1.4=incident: ticket 4711")
EXPECTED = parse_decision("10.2.1.6=expected: the trail was moved, change 12")


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return open_evidence(str(tmp_path / "evidence"))


def reviewed(store: EvidenceStore) -> Day:
    [known] = history(store, day(5), day(5))
    return known


def signed_by(
    store: EvidenceStore, reviewer: str, decisions: Sequence[Decision] = (), reason: str | None = None
) -> str:
    """Signs what was seen last; returns the key."""
    manifest = reviewed(store).manifest
    seen = manifest.sha256 if manifest else ""
    return sign_off(store, reviewed(store), seen, reviewer, decisions, reason).path


def signed(store: EvidenceStore, *decisions: Decision, reason: str | None = None) -> dict[str, Any]:
    key = signed_by(store, "A. Person", decisions, reason)
    content: dict[str, Any] = json.loads(store.read(key))
    return content


def test_a_sign_off_names_who_decided_what_and_the_manifest_that_was_reviewed(store: EvidenceStore) -> None:
    seal(store, day(5), unexpected=UNEXPECTED)
    content = signed(store, INCIDENT, EXPECTED)
    manifest = reviewed(store).manifest
    assert manifest is not None
    assert content["manifest"] == {"path": manifest.record.path, "sha256": manifest.sha256}
    assert (content["reviewer"], content["run_date"]) == ("A. Person", "2026-03-05")
    decided = [
        {"requirement": "10.2.1.4", "unexpected_findings": 2, "decision": "incident", "note": "ticket 4711"},
        {
            "requirement": "10.2.1.6",
            "unexpected_findings": 1,
            "decision": "expected",
            "note": "the trail was moved, change 12",
        },
    ]
    assert content["decisions"] == decided
    signature = reviewed(store).signature
    assert signature is not None
    assert (signature.reviewer, signature.is_stale) == ("A. Person", False)


def test_an_undecided_requirement_is_named_and_nothing_is_signed(store: EvidenceStore) -> None:
    seal(store, day(5), unexpected=UNEXPECTED)
    with pytest.raises(UsageError, match=r"without a decision: 10\.2\.1\.6 \(1\)"):
        signed(store, INCIDENT)
    assert reviewed(store).signature is None


def test_one_decision_can_stand_for_every_other_requirement(store: EvidenceStore) -> None:
    seal(store, day(5), unexpected=UNEXPECTED)
    content = signed(store, INCIDENT, parse_decision("all=follow-up: asked the team"))
    assert [(line["requirement"], line["decision"]) for line in content["decisions"]] == [
        ("10.2.1.4", "incident"),
        ("10.2.1.6", "follow-up"),
    ]


def test_a_day_without_unexpected_findings_needs_no_decision(store: EvidenceStore) -> None:
    seal(store, day(5))
    assert signed(store)["decisions"] == []


@pytest.mark.parametrize(
    "text",
    [
        "10.2.1.4",
        "10.2.1.4=incident",
        "10.2.1.4=incident:",
        "10.2.1.4=incident:  ",
        "10.2.1.4=incident: \u200b",
        "10.2.1.4=fine: note",
        "=incident: x",
        "",
    ],
)
def test_a_decision_without_verdict_or_note_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write REQUIREMENT=expected"):
        parse_decision(text)


def test_a_note_may_hold_anything() -> None:
    note = "a = b: c\n<script>alert(1)</script> =1+1"
    assert parse_decision(f"10.2.1.4=follow-up: {note}") == Decision("10.2.1.4", Verdict.FOLLOW_UP, note)


@pytest.mark.parametrize("decisions", [("10.9=expected: x",), ("10.2.1.4=expected: x", "10.2.1.4=incident: y")])
def test_a_decision_on_no_requirement_or_twice_is_refused(store: EvidenceStore, decisions: tuple[str, ...]) -> None:
    seal(store, day(5), unexpected=UNEXPECTED)
    with pytest.raises(UsageError, match=r"is not a requirement|is decided twice"):
        signed(store, EXPECTED, *map(parse_decision, decisions))


def test_an_incomplete_day_takes_a_reason(store: EvidenceStore) -> None:
    seal(store, day(5), State.INCOMPLETE)
    for reason in (None, "", "  ", "\u200b", "\u2800"):
        with pytest.raises(UsageError, match="the day is incomplete; signing it takes a --reason"):
            signed(store, reason=reason)
    assert signed(store, reason="The logs are lost")["reason"] == "The logs are lost"


@pytest.mark.parametrize("state", ["failed", "missing"])
def test_a_day_that_was_not_reviewed_cannot_be_signed(store: EvidenceStore, state: str) -> None:
    seal(store, day(5) if state == "failed" else day(4), State.FAILED)
    with pytest.raises(UsageError, match=state):
        signed(store, reason="never mind")


@pytest.mark.parametrize("reviewer", ["", " ", "\u200b", "\u2800", "\u3164", "\ufeff\u00a0", "--", "\ue000"])
def test_a_reviewer_has_a_name_that_shows(store: EvidenceStore, reviewer: str) -> None:
    seal(store, day(5))
    with pytest.raises(UsageError, match="has to give a name"):
        signed_by(store, reviewer)


def test_changed_evidence_cannot_be_signed(store: EvidenceStore) -> None:
    folder = seal(store, day(5))
    store.write(f"{folder}/daily_review.csv", b"changed")
    with pytest.raises(UsageError, match=r"daily_review\.csv was changed after it was sealed"):
        signed(store)


def test_a_correction_is_a_further_file_and_the_last_one_counts(store: EvidenceStore) -> None:
    seal(store, day(5), unexpected=UNEXPECTED)
    first = signed_by(store, "A. Person", [INCIDENT, EXPECTED])
    before = store.read(first)
    second = signed_by(store, "B. Person", [INCIDENT, EXPECTED])
    assert first != second
    assert store.read(first) == before
    signature = reviewed(store).signature
    assert signature is not None
    assert signature.reviewer == "B. Person"


def test_a_later_review_of_the_day_makes_the_sign_off_stale(store: EvidenceStore) -> None:
    seal(store, day(5))
    signed(store)
    assert reviewed(store).is_signed
    seal(store, day(5))
    signature = reviewed(store).signature
    assert signature is not None
    assert signature.is_stale
    assert not reviewed(store).is_signed


def test_only_what_was_seen_is_signed_and_a_run_since_is_told(store: EvidenceStore) -> None:
    seal(store, day(5), unexpected=UNEXPECTED)
    manifest = reviewed(store).manifest
    assert manifest is not None
    seal(store, day(5))
    with pytest.raises(UsageError, match="the day was run again since that review: pci-log-review show 2026-03-05"):
        sign_off(store, reviewed(store), manifest.sha256, "A. Person", [INCIDENT, EXPECTED], None)
    for seen in ("", manifest.sha256[:-1], manifest.sha256.upper(), "0" * 64):
        with pytest.raises(UsageError, match="is the hash of no review of the day; pci-log-review show 2026-03-05"):
            sign_off(store, reviewed(store), seen, "A. Person", [], None)
    assert reviewed(store).signature is None


def test_the_record_says_by_which_user_and_host_it_was_made_whatever_the_environment_says(
    store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "LOGNAME", "HOSTNAME"):
        monkeypatch.setenv(name, "somebody-else")
    seal(store, day(5))
    by = signed(store)["by"]
    assert by == {"os_user": pwd.getpwuid(os.getuid()).pw_name, "host": socket.gethostname(), "aws_caller": None}


def test_in_s3_the_record_says_which_aws_principal_signed(bucket: str) -> None:
    in_s3 = open_evidence(f"s3://{bucket}")
    seal(in_s3, day(5))
    key = sign(in_s3, day(5))
    assert json.loads(in_s3.read(key))["by"]["aws_caller"] == boto3.client("sts").get_caller_identity()["Arn"]


def test_an_aws_principal_that_cannot_be_asked_for_is_not_known(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9")
    assert signer(f"s3://{bucket}")["aws_caller"] == "not known: EndpointConnectionError"


def test_the_command_line_signs_what_show_printed_and_verify_expects_the_hashes_that_were_kept(
    store: EvidenceStore,
) -> None:
    def said(*arguments: str) -> tuple[int, str]:
        ended = CliRunner().invoke(main, [*arguments, "--evidence", store.where])
        return ended.exit_code, ended.output

    seal(store, day(5))
    shown = re.search(r"\(manifest ([0-9a-f]{64})\)", said("show", "2026-03-05")[1])
    assert shown
    assert said("sign-off", "2026-03-05", "--reviewer", "A. Person")[0] == 2, "without what was seen"
    code, text = said("sign-off", "2026-03-05", "--reviewer", "A. Person", "--manifest", shown[1])
    signature = re.search(r"\(record ([0-9a-f]{64})\)", text)
    assert code == 0
    assert signature
    verified = ("verify", "--to", "2026-03-05", "--expect", shown[1], "--expect", signature[1])
    assert said(*verified)[0] == 0
    code, text = said(*verified, "--expect", "ab" * 32)
    assert (code, f"{'ab' * 32}: no record has this hash" in text) == (1, True)
    assert said("verify", "--expect", "ab")[0] == 2
