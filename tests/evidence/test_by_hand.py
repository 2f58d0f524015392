"""Evidence is checked by hand as docs/evidence.md says, with sha256sum and jq: what was changed shows."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.checkout import ROOT
from tests.evidence.sealed_days import day, seal, sign

from pci_log_review.evidence.open import open_evidence

BLOCKS = re.findall(r"^```bash\n(.*?)^```$", (ROOT / "docs" / "evidence.md").read_text(), re.MULTILINE | re.DOTALL)
FORMAT_1 = Path(__file__).parent / "fixtures" / "format_1.tar.xz"


@pytest.fixture(autouse=True)
def jq() -> None:
    if shutil.which("jq") is None:
        if os.environ.get("PCI_LOG_REVIEW_RUN_EVERY_TEST") == "1":
            pytest.fail("jq is required here (PCI_LOG_REVIEW_RUN_EVERY_TEST=1)", pytrace=False)
        pytest.skip("jq is not on this machine")


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    """Two days, the first of which is signed."""
    folder = tmp_path / "evidence"
    store = open_evidence(str(folder))
    seal(store, day(10), unexpected={"10.2.1.4": 1})
    sign(store, day(10), "all=incident: ticket 4711")
    seal(store, day(11))
    return folder


def checked(folder: Path) -> str:
    """What the commands of the page say in the folder, one block after the other as somebody types them."""
    scratch = folder.parent / "scratch"
    scratch.mkdir(exist_ok=True)
    script = "\n".join(BLOCKS).replace("/tmp/", f"{scratch}/")  # noqa: S108  # the page's own
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def is_whole(said: str, records: int, runs: int) -> bool:
    return (
        len(re.findall(r"^\S+/(?:manifest|sign-off-\S+)\.json: OK$", said, re.MULTILINE)) == records
        and len(re.findall(r": files OK$", said, re.MULTILINE)) == runs
        and "every record is in the chain" in said
        and not re.search(r"FAILED|missing|^[<>]|error|No such", said, re.MULTILINE)
    )


def test_whole_evidence_is_found_whole(evidence: Path) -> None:
    said = checked(evidence)
    assert is_whole(said, records=3, runs=2), said
    assert '["2026-03-10","complete",0,1]' in said
    assert re.search(r'\["2026-03-10","A\. Person",".*","2026-03-10/.*/manifest\.json"\]', said)


def test_evidence_of_the_first_format_is_found_whole(tmp_path: Path) -> None:
    with tarfile.open(FORMAT_1) as archive:
        archive.extractall(tmp_path, filter="data")
    said = checked(tmp_path / "evidence")
    assert is_whole(said, records=3, runs=2), said


def _run(evidence: Path, number: int) -> Path:
    return sorted(evidence.glob("*/*/manifest.json"))[number].parent


def _change(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")


def _rewrite_state(evidence: Path) -> None:
    manifest = _run(evidence, 0) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"gaps": ["none"]}))


def _begin_anew(evidence: Path) -> None:
    """The last run names none before it, and latest.json is made to fit."""
    manifest = _run(evidence, 1) / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"previous": None}))
    digest = subprocess.run(["sha256sum", manifest], capture_output=True, text=True, check=True).stdout.split()[0]
    latest = json.loads((evidence / "latest.json").read_text())
    (evidence / "latest.json").write_text(json.dumps(latest | {"sha256": digest}))


TAMPERINGS: dict[str, Callable[[Path], object]] = {
    "a finding was changed": lambda evidence: _change(_run(evidence, 0) / "findings" / "10.2.1.4.csv"),
    "a file was removed": lambda evidence: (_run(evidence, 1) / "log_files.csv").unlink(),
    "a file was added": lambda evidence: (_run(evidence, 1) / "findings" / "more.csv").write_text(""),
    "a manifest was changed": _rewrite_state,
    "a sign-off was changed": lambda evidence: _change(next(evidence.glob("*/sign-off-*.json"))),
    "a sign-off was removed": lambda evidence: next(evidence.glob("*/sign-off-*.json")).unlink(),
    "a sign-off was planted": lambda evidence: (
        evidence / "2026-03-11" / "sign-off-20260312T000000Z-00000000.json"
    ).write_text("{}"),
    "a day was removed": lambda evidence: shutil.rmtree(evidence / "2026-03-10"),
    "the last run was removed": lambda evidence: shutil.rmtree(evidence / "2026-03-11"),
    "the chain begins anew": _begin_anew,
    "the end of the chain is gone": lambda evidence: (evidence / "latest.json").unlink(),
}


@pytest.mark.slow
@pytest.mark.parametrize("what", TAMPERINGS)
def test_what_was_tampered_with_shows(evidence: Path, what: str) -> None:
    TAMPERINGS[what](evidence)
    said = checked(evidence)
    records = 3 - ("removed" in what and "file" not in what)
    assert not is_whole(said, records, runs=2 - (what in {"a day was removed", "the last run was removed"})), said


def test_a_day_that_was_never_reviewed_shows(evidence: Path) -> None:
    seal(open_evidence(str(evidence)), day(14))
    said = checked(evidence)
    assert re.findall(r"^(\S+) is missing$", said, re.MULTILINE) == ["2026-03-12", "2026-03-13"]
