"""Findings as a CSV file of the evidence has them, made up."""

from __future__ import annotations

from itertools import count

from pci_log_review.pages.folding import Row

_numbers = count(1)


def finding(**fields: str) -> Row:
    """A finding of its own event: a user's unexpected call that was done."""
    number = next(_numbers)
    return {
        "event_id": f"00000000-0000-4000-8000-{number:012}",
        "event_time": "2026-03-10T08:00:00Z",
        "aws_account_id": "111122223333",
        "aws_region": "us-east-1",
        "event_source": "iam.amazonaws.com",
        "event_name": "CreateUser",
        "actor_is_service": "false",
        "principal_kind": "user",
        "principal_account_id": "111122223333",
        "principal_name": "reporting",
        "actor_name": "reporting",
        "source_ip": "198.51.100.7",
        "outcome": "success",
        "error_code": "",
        "resource": "",
        "title": "Create a user",
        "flags": "",
        "is_expected": "false",
        "expected_line": "",
        "is_read_only": "false",
        "mfa_authenticated": "",
        "log_file": "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/10/a.json.gz",
    } | fields
