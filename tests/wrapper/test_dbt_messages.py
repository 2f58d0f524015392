"""An error of dbt or of the engine becomes one plain line, which says what is missing where the engine does not."""

from __future__ import annotations

import pytest

from pci_log_review.warehouse.dbt import plain_message

OBJECT = "s3://example-pay-tables/tables/review/trail_scope/20260311_x1"


@pytest.mark.parametrize(
    ("said", "needed"),
    [
        (
            f"HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split {OBJECT} (offset=0, length=9): Failed to open S3 file",
            f"s3:GetObject on {OBJECT}",
        ),
        (
            f"HIVE_FILESYSTEM_ERROR: Failed to list directory: {OBJECT}",
            "s3:ListBucket on s3://example-pay-tables",
        ),
        (
            "(InvalidRequestException) Unable to verify/create output bucket example-pay-results",
            "s3:ListBucket or s3:GetBucketLocation on s3://example-pay-results",
        ),
    ],
)
def test_where_athena_names_the_place_alone_the_permission_is_named_too(said: str, needed: str) -> None:
    message = plain_message(f"Database Error in model findings (models/review/findings.sql)\n  {said}")
    assert message == f"{said} (if S3 refused it: {needed}, or kms:Decrypt on its key, is not permitted)"


@pytest.mark.parametrize("said", ["HIVE_CURSOR_ERROR: Failed to read s3://a/b", "TYPE_MISMATCH: line 1:8", ""])
def test_other_errors_stay_as_they_are(said: str) -> None:
    assert plain_message(said) == said
