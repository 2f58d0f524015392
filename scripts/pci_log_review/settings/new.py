"""Writes a settings folder to start from, with the accounts and regions found in the logs."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from ..cloudtrail.deliveries import trails
from ..cloudtrail.digest_files import delivering_trails
from ..cloudtrail.store import open_store
from ..common.aws import is_s3, s3_place
from ..common.errors import UsageError
from ..common.project import project_dir
from .checks import FILES, is_account, is_region

# Shipped lines that are a good start for everyone; the user fills in all other files
_KEPT = ("administrative_grants",)


def write_settings(logs: str, folder: Path) -> tuple[int, int, list[str]]:
    """Writes the settings files into `folder`, none of which may exist yet.

    Returns the numbers of accounts and of accounts x regions found, and the names of account folders that are not
    account ids. Raises UsageError if a file exists already, LogStoreError if the logs can't be listed.
    """
    there = [f"{name}.csv" for name in FILES if (folder / f"{name}.csv").exists()]
    if there:
        raise UsageError(f"{folder} has {', '.join(there)} already; nothing was written")
    store = open_store(logs)
    listed = trails(store)
    found = sorted({(trail.account_id, trail.region) for trail in listed if trail.kind == "log"})
    known = [(account_id, region) for account_id, region in found if is_account(account_id) and is_region(region)]
    accounts = sorted({account_id for account_id, _ in known})
    rows: dict[str, list[list[str]]] = {name: [] for name in FILES}
    for account_id in accounts:
        regions = [region for owner, region in known if owner == account_id]
        rows["trail_scope"] += [[account_id, "", region, "true", "daily"] for region in regions]
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
            shutil.copyfile(project_dir() / "seeds" / "settings" / f"{name}.csv", folder / f"{name}.csv")
            continue
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([list(columns), *rows[name]])
    return len(accounts), len(known), sorted({account_id for account_id, _ in found} - set(accounts))
