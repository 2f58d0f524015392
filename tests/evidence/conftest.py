from __future__ import annotations

import uuid
from pathlib import Path

import boto3
import pytest
from tests.s3 import s3, s3_endpoint

from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.store import EvidenceStore

__all__ = ["s3", "s3_endpoint"]


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "evidence")


@pytest.fixture
def bucket(s3: None) -> str:  # noqa: ARG001 — boto3 must find moto, not AWS
    name = f"evidence-{uuid.uuid4().hex}"
    boto3.client("s3").create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture(params=["folder", "s3"])
def where(request: pytest.FixtureRequest) -> str:
    """An empty place for evidence, of each kind."""
    if request.param == "folder":
        return str(request.getfixturevalue("folder"))
    return f"s3://{request.getfixturevalue('bucket')}/pci/evidence"


@pytest.fixture
def store(where: str) -> EvidenceStore:
    return open_evidence(where)
