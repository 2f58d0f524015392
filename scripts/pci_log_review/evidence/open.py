"""Opens the place that the user named for the evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from ..common.aws import aws_session, is_s3
from .folder import FolderEvidence
from .s3 import RetentionMode, S3Evidence
from .store import EvidenceError, EvidenceStore

if TYPE_CHECKING:
    import boto3


def open_evidence(
    where: str,
    kms_key: str | None = None,
    retention_days: int | None = None,
    retention_mode: str = "GOVERNANCE",
    session: boto3.Session | None = None,
) -> EvidenceStore:
    """The store at `where`: `s3://bucket/prefix` or a folder, for which the other options mean nothing.

    On S3 everything is encrypted with `kms_key` or, where there is none, as the bucket's default is. What `create` and
    `publish` write is kept for `retention_days` by Object Lock, where given. `session` is the AWS identity; without it
    the environment's. Raises EvidenceError where `where` or the retention is wrong; that the place exists and lets us
    in shows at the first use.
    """
    if not is_s3(where):
        return FolderEvidence(where)
    mode = next((mode for mode in get_args(RetentionMode) if mode == retention_mode), None)
    if mode is None:
        raise EvidenceError(f"evidence: retention mode {retention_mode!r} is neither GOVERNANCE nor COMPLIANCE")
    if retention_days is not None and retention_days < 1:
        raise EvidenceError(f"evidence: a retention of {retention_days} days is less than one day")
    retention = (retention_days, mode) if retention_days else None
    return S3Evidence(where, session or aws_session(), kms_key, retention)
