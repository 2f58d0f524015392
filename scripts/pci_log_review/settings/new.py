"""Writes a settings folder to start from, with the accounts and regions found in the logs."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from ..cloudtrail.deliveries import Trail, trails
from ..cloudtrail.digest_files import delivering_trails
from ..cloudtrail.store import PARALLEL_READS, LogStore, open_store
from ..common.aws import is_s3, named_path, named_place, s3_place
from ..common.errors import UsageError
from ..common.project import project_dir
from .checks import FILES, is_account, is_region
from .described import NAME as README
from .described import readme
from .rows import read_rows

# Shipped lines that are a good start for everyone; the user fills in all other files
_KEPT = ("administrative_grants",)


# A region whose logs came on most of the days of so long a time is expected to have some each day
_SEEN = timedelta(days=14)


@dataclass(frozen=True)
class Written:
    """What was found and written: the numbers of accounts, of accounts x regions with logs and of those expected daily,
    the last days on which logs were seen, and the names of account folders that are not account ids.
    """

    accounts: int
    regions: int
    daily: int
    days: list[date]
    odd: list[str]


def write_settings(logs: str, folder: Path) -> Written:
    """Writes the settings files into `folder`, none of which may exist yet, and a README that says what they hold.

    Raises UsageError if a file exists already or no account is found, LogStoreError if the logs can't be listed.
    """
    named_path("settings", folder)
    there = [f"{name}.csv" for name in FILES if os.path.lexists(folder / f"{name}.csv")]
    if there:
        raise UsageError(f"{folder} has {', '.join(there)} already; nothing was written")
    store = open_store(named_place("logs", logs))
    listed = trails(store)
    found = sorted((trail for trail in listed if trail.kind == "log"), key=lambda trail: trail.folder)
    known = [trail for trail in found if is_account(trail.account_id) and is_region(trail.region)]
    if not known:
        raise UsageError(f"logs: {logs} has no CloudTrail logs of any account; nothing was written")
    days = _days(store, known)
    last = sorted({day for seen in days.values() for day in seen})
    accounts = sorted({account_id for account_id, _ in days})
    rows: dict[str, list[list[str]]] = {name: [] for name in FILES}
    expected = {place: _expected(seen, last) for place, seen in days.items()}
    for account_id in accounts:
        regions = sorted(region for owner, region in days if owner == account_id)
        rows["trail_scope"] += [[account_id, "", region, "true", expected[account_id, region]] for region in regions]
        # An intruder works in a region that nobody watches, so all other regions are in scope, too
        rows["trail_scope"].append([account_id, "", "*", "true", "may be quiet"])
    if is_s3(logs):
        rows["audit_log_stores"].append(["s3.amazonaws.com", s3_place(logs).bucket, "The bucket of these logs"])
    rows["digest_trails"] = [
        [trail.trail, trail.home_region, trail.account_id, trail.region, str(trail.since), "", ""]
        for trail in delivering_trails(store, listed)
        if is_account(trail.account_id) and is_region(trail.region)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    for name, columns in FILES.items():
        if name in _KEPT:
            shipped = read_rows(project_dir() / "seeds" / "settings" / f"{name}.csv")
            rows[name] = [[row[column] for column in columns] for row in shipped]
        # as a new file: a link that somebody has just laid there is not followed
        with (folder / f"{name}.csv").open("x", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([list(columns), *rows[name]])
    if not os.path.lexists(folder / README):  # whoever has one keeps it
        (folder / README).write_text(readme(project_dir()), encoding="utf-8")
    odd = sorted({trail.account_id for trail in found} - set(accounts))
    return Written(len(accounts), len(days), list(expected.values()).count("daily"), last, odd)


def _expected(seen: set[date], last: list[date]) -> str:
    """What logs_expected says of a region that had logs on the days `seen`, where `last` are those on which any had.

    One sighting says nothing, unless there was no other day to be seen on: then `daily`, so that silence is told.
    """
    since_first = [day for day in last if seen and day >= min(seen)]
    often = len(seen) > 1 and 2 * len(seen) > len(since_first)
    return "daily" if often or (len(last) == 1 and seen) else "may be quiet"


def _days(store: LogStore, known: list[Trail]) -> dict[tuple[str, str], set[date]]:
    """The days with logs of each account and region, of the last _SEEN days that any has."""
    days: dict[tuple[str, str], set[date]] = {(trail.account_id, trail.region): set() for trail in known}
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        for trail, found in zip(known, pool.map(lambda trail: _newest(store, trail.folder), known), strict=True):
            days[trail.account_id, trail.region] |= found
    newest = max((day for found in days.values() for day in found), default=date.min)
    return {place: {day for day in found if newest - day < _SEEN} for place, found in days.items()}


def _newest(store: LogStore, folder: str) -> set[date]:
    """The days of a trail's folder, of its last two months."""
    months = [
        f"{year}/{month}" for year in _numbers(store, folder, 4) for month in _numbers(store, f"{folder}/{year}", 2)
    ]
    found = set()
    for month in months[-2:]:
        for number in _numbers(store, f"{folder}/{month}", 2):
            try:
                found.add(date.fromisoformat(f"{month}/{number}".replace("/", "-")))
            except ValueError:  # no day has this name
                continue
    return found


def _numbers(store: LogStore, folder: str, digits: int) -> Iterator[str]:
    return (name for name in store.folders(folder) if re.fullmatch(rf"[0-9]{{{digits}}}", name))
