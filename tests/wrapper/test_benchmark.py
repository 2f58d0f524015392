"""The benchmark's logs are as they say, and a review finds in them what was planted."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
from tests.checkout import NO_TESTS

from tools.benchmark.generate import Shape, write_logs
from tools.benchmark.review import Home, review


def test_a_review_finds_what_the_benchmark_planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NO_TESTS.items():
        monkeypatch.setenv(name, value)
    logs = write_logs(tmp_path / "logs", Shape(20_000, digests=True))
    paths = logs.folder.glob("AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz")
    records = [record for path in paths for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]]
    assert len(records) == 20_000
    assert len({record["eventID"] for record in records}) == 20_000
    assert 1_600 < logs.json_bytes / 20_000 < 1_800
    names = Counter(record["eventName"] for record in records)
    assert {name for name, _ in names.most_common(4)} == {"AssumeRole", "GetObject", "PutObject", "Decrypt"}
    # one event in 200, some for two requirements, and each of them at least once
    assert 100 <= sum(logs.findings.values()) < 110
    assert min(logs.findings.values()) == 1
    review(logs, Home(tmp_path / "home"))  # compares what daily_review has with what was planted
