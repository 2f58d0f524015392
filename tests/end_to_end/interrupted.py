"""The wrapper's command line, which kills itself where a test says so: at a step of a run, as a power cut would.

    python -m tests.end_to_end.interrupted STEP TODAY run …

STEP is `<function>:<before|after>`, `dbt:<number>` (when that many models, seeds and tests have ended), `seal:before`
(when all files of the evidence but the seal are in S3), or `never`; with `swap:<bucket>/<key>` it goes on, and while
dbt builds the day another object lies in the place of that one, which is put back. A lock in S3 is given up at once.
TODAY stands for the day that is going on, so that the sample logs' days are due.
"""

from __future__ import annotations

import gzip
import os
import signal
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

import boto3

from pci_log_review import cli
from pci_log_review.common import clock
from pci_log_review.evidence import folder as evidence_folder
from pci_log_review.evidence import s3 as evidence_s3
from pci_log_review.review import day, run
from pci_log_review.warehouse.dbt import Dbt, Progress

# Where each step of a run is called from.
STEPS: dict[str, Any] = {
    "review_day": run,
    "take_inventory": day,
    "write_inventory": day,
    "build": Dbt,
    "write_evidence": day,
    "write_manifest": day,
    "set_latest": day,
    "publish": evidence_folder.FolderEvidence,
    "notify": cli,
}


def killing(step: str, today: str, *arguments: str) -> list[str]:
    """The command that runs the wrapper so."""
    return [sys.executable, "-m", "tests.end_to_end.interrupted", step, today, *arguments]


def die() -> None:
    """Ends this process at once; nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


def _dies(function: Callable[..., Any], when: str) -> Callable[..., Any]:
    def dying(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            die()
        function(*arguments, **named)
        die()

    return dying


def _dies_in_dbt(number: int, build: Callable[..., Any]) -> Callable[..., Any]:
    def dying(*arguments: Any) -> Any:
        *others, on_progress = arguments

        def progress(step: Progress) -> None:
            on_progress(step)
            if step.number >= number:
                die()

        return build(*others, progress)

    return dying


def _dies_at_the_seal(create: Callable[..., Any]) -> Callable[..., Any]:
    def dying(store: Any, key: str, *arguments: Any) -> None:
        if key.endswith("manifest.json"):
            die()
        create(store, key, *arguments)

    return dying


def _swaps_meanwhile(bucket: str, key: str, build: Callable[..., Any]) -> Callable[..., Any]:
    def swapping(*arguments: Any) -> Any:
        s3 = boto3.client("s3")
        original = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(gzip.decompress(original), 1))
        built = build(*arguments)
        s3.put_object(Bucket=bucket, Key=key, Body=original)
        return built

    return swapping


def main() -> None:
    """Runs the command line with one step that kills."""
    step, today = sys.argv[1], date.fromisoformat(sys.argv[2])
    del sys.argv[1:3]
    setattr(clock, "today", lambda: today)  # noqa: B010
    evidence_s3.LEASE_SECONDS = 0
    name, _, when = step.partition(":")
    if name == "seal":
        setattr(evidence_s3.S3Evidence, "_create", _dies_at_the_seal(evidence_s3.S3Evidence._create))  # noqa: B010
    elif name == "swap":
        bucket, _, key = when.partition("/")
        setattr(Dbt, "build", _swaps_meanwhile(bucket, key, Dbt.build))  # noqa: B010
    elif name == "dbt":
        setattr(Dbt, "build", _dies_in_dbt(int(when), Dbt.build))  # noqa: B010
    elif name != "never":
        setattr(STEPS[name], name, _dies(getattr(STEPS[name], name), when))
    cli.main()


if __name__ == "__main__":
    main()
