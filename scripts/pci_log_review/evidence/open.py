"""Opens the place that the user named for the evidence."""

from __future__ import annotations

from typing import get_args

from .evidence_folder import FolderEvidence
from .evidence_s3 import RetentionMode, S3Evidence
from .evidence_store import EvidenceError, EvidenceStore


def open_evidence(
    where: str, kms_key: str | None = None, retention_days: int | None = None, retention_mode: str = "GOVERNANCE"
) -> EvidenceStore:
    """The store at `where`: `s3://bucket/prefix` or a folder, for which the other options mean nothing.

    On S3 everything is encrypted with `kms_key`, or as the bucket says where there is none. What `create` and
    `publish` write is kept for `retention_days` by Object Lock, where given. Raises EvidenceError where `where` or
    the retention can't be right; that the place is there and lets us in shows at the first use.
    """
    if not where.startswith("s3://"):
        return FolderEvidence(where)
    mode = next((mode for mode in get_args(RetentionMode) if mode == retention_mode), None)
    if mode is None:
        raise EvidenceError(f"evidence: retention mode {retention_mode!r} is neither GOVERNANCE nor COMPLIANCE")
    if retention_days is not None and retention_days < 1:
        raise EvidenceError(f"evidence: a retention of {retention_days} days is less than one day")
    return S3Evidence(where, kms_key, (retention_days, mode) if retention_days else None)
