"""What a user gets wrong, checked before anything runs or is sealed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError

from ..cloudtrail.place import accounts, first_day_is_after
from ..cloudtrail.store import LogStoreError
from ..common.aws import is_s3
from ..common.errors import UsageError
from ..common.project import project_dir
from ..common.text import few
from ..evidence.chain import records
from ..evidence.store import EvidenceError
from ..settings.rows import read_rows
from ..settings.scope import catalogue_regions
from ..warehouse.profile import AthenaConnection
from .options import Run


def check_run(run: Run, first: date | None, since: date | None) -> None:
    """Checks the region, the credentials, the place of the logs, the scope, and that there are logs as old as the first
    day asked for: `first` of a run of named days, or `since` where nothing was reviewed yet.

    Raises UsageError with one line for each fault.
    """
    lines = _scope(run.settings)
    if not lines:
        raise UsageError(
            "settings: trail_scope.csv, line 1: is empty, so nothing would be reviewed: name your accounts"
        )
    connection = run.profile.connection
    if isinstance(connection, AthenaConnection):
        _check_region(run.session, connection.region_name, f"{run.profile.file}: region_name")
    if isinstance(connection, AthenaConnection) or is_s3(run.logs.root) or is_s3(run.evidence.where):
        _check_aws(run)
    try:
        found = accounts(run.logs)
        known = (
            {folder: run.logs.folders(f"{folder}/CloudTrail") for folder in found.values()} if _odd(run, lines) else {}
        )
        _check_scope(run, lines, found, known)
        oldest = first or (since if _is_new(run) else None)
        if oldest:
            _check_age(run, oldest, [folder for account, folder in found.items() if account in _accounts(lines)])
    except LogStoreError as error:
        raise UsageError(str(error)) from error


def _check_aws(run: Run) -> None:
    if run.session.region_name:
        _check_region(run.session, run.session.region_name, "AWS: the region")
    try:
        credentials = run.session.get_credentials()
    except BotoCoreError as error:
        raise UsageError(f"AWS: no credentials: {error}") from error
    if credentials is None:
        raise UsageError("AWS: no credentials: set AWS_PROFILE, or run where a role is given")


def _check_region(session: boto3.Session, region: str, where: str) -> None:
    if region not in _regions(session):
        raise UsageError(f"{where} {region!r} is no region of AWS{_meant(session, region)}")


def _check_scope(
    run: Run, lines: list[tuple[int, str, str]], found: dict[str, str], known: dict[str, list[str]]
) -> None:
    """The scope names regions that there are, and it is not that of the sample where the logs are not."""
    odd = [line for line in _odd(run, lines) if line[2] not in known.get(found.get(line[1], ""), [])]
    faults = [
        f"settings: trail_scope.csv, line {number}: region {region!r} is no region of AWS, and there are no logs of it"
        f"{_meant(run.session, region)}"
        for number, _, region in odd
    ]
    is_sample = run.settings_named == project_dir() / "seeds" / "settings"
    if is_sample and not _accounts(lines) & set(found):
        names = few(sorted(found), 3)
        faults.append(
            f"settings: those of the sample logs name none of the accounts whose logs these are ({names}): "
            f"pci-log-review init --logs {run.logs.root} --settings DIR writes yours; then give --settings DIR"
        )
    if faults:
        raise UsageError("\n".join(faults))


def _check_age(run: Run, day: date, folders: list[str]) -> None:
    first = first_day_is_after(run.logs, day, folders)
    if first:
        raise UsageError(
            f"{day} is before the first day with logs of an account in scope, {first}: give that or a later one"
        )


def _is_new(run: Run) -> bool:
    """Whether the evidence has no review yet."""
    try:
        return not records(run.evidence.keys())
    except EvidenceError as error:
        raise UsageError(str(error)) from error


def _odd(run: Run, lines: list[tuple[int, str, str]]) -> list[tuple[int, str, str]]:
    """The lines whose region neither the catalogue nor AWS's library has."""
    catalogue = {*catalogue_regions(run.snapshot.folder), "*"}
    unknown = [line for line in lines if line[2] not in catalogue]
    return [line for line in unknown if line[2] not in _regions(run.session)] if unknown else []


def _scope(settings: Path) -> list[tuple[int, str, str]]:
    """Line number, account id and region of each line of the scope."""
    rows = read_rows(settings / "trail_scope.csv")
    return [(number, row["account_id"], row["region"]) for number, row in enumerate(rows, 2)]


def _accounts(lines: list[tuple[int, str, str]]) -> set[str]:
    return {account for _, account, _ in lines}


def _regions(session: boto3.Session) -> set[str]:
    return set(_all_regions(session))


def _all_regions(session: boto3.Session) -> Iterator[str]:
    for partition in session.get_available_partitions():
        yield from session.get_available_regions("ec2", partition)


def _meant(session: boto3.Session, region: str) -> str:
    close = get_close_matches(region, sorted(_regions(session)), n=1)
    return f"; is {close[0]} meant?" if close else ""
