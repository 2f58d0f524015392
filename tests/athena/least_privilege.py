"""Minimality of the deployed policies, by running: each grant is taken away in turn, and something must fail.

    python -m tests.athena.least_privilege [--only TEXT]…

A day is reviewed twice under the template's policies on the local Athena; then again without each grant. Grants that
the same requests need (an action of Glue on the catalogue, the database and the table) are taken away together: without
any one of them the same requests are denied. What no request needs stands in deploy/policies/not_exercised.csv and is
not tried. It takes one to two minutes a run, an hour for all; --only tries the grants whose text holds TEXT, and can
be repeated.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

from tests.athena.conftest import DAY, MODELS_ALONE, sample_logs, settings_of_one_account
from tests.athena.deployed import deployed, fetched
from tests.athena.on_athena import OnAthena
from tests.checkout import NO_TESTS, Ended
from tests.local_athena.iam import Call, Grant
from tests.local_athena.service import LocalAthena

from pci_log_review.common.errors import UsageError


def main() -> int:
    """0 where each grant that was tried is needed, else 1, with a line for each that is not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", action="append", metavar="TEXT", help="try the grants whose text holds this; repeat it"
    )
    only: list[str] = parser.parse_args().only or [""]
    needless = 0
    with tempfile.TemporaryDirectory() as folder, LocalAthena() as service:
        home = Path(folder)
        logs, _ = sample_logs(home)
        on_athena = OnAthena.new(service, home / "on-athena")
        service.upload(logs, on_athena.place.log_bucket)
        on_athena, settings = deployed(on_athena, settings_of_one_account(home / "settings"))
        arguments = (DAY, "--settings", str(settings))
        for options in (NO_TESTS, MODELS_ALONE):
            ended = on_athena.review(*arguments, **options)
            assert ended.code == 0, ended.last_lines
        assert on_athena.role is not None
        for grant in on_athena.role.grants:
            if grant not in on_athena.role.used():
                print(f"not tried, since no call needs it: {grant}")
        for together in _groups(on_athena):
            names = ", ".join(map(str, together))
            if not any(text in names for text in only):
                continue
            began = time.monotonic()
            fault = _fault(_without(on_athena, together), arguments)
            needless += fault is None
            print(
                f"{time.monotonic() - began:4.0f} s  {names}\n        {fault or 'NOT NEEDED: nothing failed'}",
                flush=True,
            )
            service.s3.delete_object(Bucket=on_athena.place.evidence_bucket, Key="evidence/lock.json")
    return min(needless, 1)


def _groups(on_athena: OnAthena) -> list[list[Grant]]:
    """The grants that a call needed, those of one action and policy together."""
    assert on_athena.role is not None
    groups: dict[tuple[str, str], list[Grant]] = defaultdict(list)
    for grant in sorted(on_athena.role.used(), key=str):
        # of Glue every request asks for all levels; elsewhere each resource is another request's
        level = "" if grant.action.startswith("glue:") else grant.resource
        groups[grant.action, f"{grant.policy} {level}"].append(grant)
    return list(groups.values())


def _without(on_athena: OnAthena, grants: list[Grant]) -> OnAthena:
    assert on_athena.role is not None
    role = on_athena.role
    for grant in grants[:1]:
        role = role.without(grant)
    return replace(on_athena, role=role)


def _fault(on_athena: OnAthena, arguments: tuple[str, ...]) -> str | None:
    """What failed, in a line, or None."""
    assert on_athena.role is not None
    try:
        fetched(on_athena)
    except UsageError as error:
        return f"the container does not start: {error}"
    ended = on_athena.review(*arguments, **MODELS_ALONE)
    denied = ", ".join(map(str, list(on_athena.role.denied)[:2]))
    if ended.code and not denied:
        raise RuntimeError(f"the review failed, and not for want of a permission: {ended.last_lines}")
    if ended.code:
        return f"exit code {ended.code}: {_line_of(ended, on_athena.role.denied)}"
    if on_athena.service.s3.list_objects_v2(Bucket=on_athena.place.evidence_bucket, Prefix="evidence/lock.json").get(
        "Contents"
    ):
        return f"the lock stays, and the next run would be refused ({denied})"
    if denied:
        return f"the next day's review lists what this one was refused: {denied}"
    return None


def _line_of(ended: Ended, denied: dict[Call, None]) -> str:
    """The line of the output that names a denied action and its resource, else the last one with the calls denied."""
    lines = [line for line in ended.text.splitlines() if line.startswith("pci-log-review: ") or "AccessDenied" in line]
    for call in denied:
        for line in lines:
            if call.action in line and (
                call.resource in line or call.resource.replace("arn:aws:s3:::", "s3://") in line
            ):
                return f"named: {call}"
    return f"NOT NAMED: denied {', '.join(map(str, denied))}; said: {' / '.join(lines)[-1500:]}"


if __name__ == "__main__":
    sys.exit(main())
