"""The dbt-duckdb plugin that gives the embedded target the functions `pci_convert_day` and `pci_json_texts`."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from dbt.adapters.duckdb.plugins import BasePlugin
from duckdb import DuckDBPyConnection

from .cloudtrail.place import accounts
from .cloudtrail.store import LogStoreError, open_store
from .warehouse.dbt import CONVERTED
from .warehouse.inventory import ensure_inventory
from .warehouse.json_texts import json_texts
from .warehouse.lake import convert_day, is_converted, lake_of


def lake_folder() -> Path:
    """The lake of the embedded target: beside its database. Raises UsageError as lake_of does."""
    return lake_of(Path(os.environ.get("PCI_LOG_REVIEW_STATE", "state")))


def _convert_day(logs: str, run_date: str, scope: str) -> int:
    """Converts a day's log files; `scope` is `account/region account/region …`. Returns the number of files read.

    Where the wrapper has just converted them, for the same scope, they are not read again.
    """
    pairs = (pair.split("/") for pair in (scope or "").split())
    in_scope = frozenset((account_id, region) for account_id, region in pairs)
    day, lake, token = date.fromisoformat(run_date), lake_folder(), os.environ.get(CONVERTED)
    if token and is_converted(logs, day, in_scope, lake, token):
        return 0
    _check_scope(logs, {account_id for account_id, _ in in_scope})
    ensure_inventory(lake, day)
    return len(convert_day(logs, day, in_scope, lake))


def _check_scope(logs: str, in_scope: set[str]) -> None:
    """Raises LogStoreError if the logs are of none of the accounts in scope: nothing of them would be read.

    The wrapper names such logs as a gap; dbt alone has no inventory that could.
    """
    found = sorted(accounts(open_store(logs)))
    if not in_scope & set(found):
        raise LogStoreError(
            f"logs: trail_scope names none of the accounts whose logs are in {logs} ({', '.join(found[:3])}). The "
            "settings that are shipped are those of the sample logs: pci-log-review init writes yours, and "
            "PCI_LOG_REVIEW_SETTINGS names their folder"
        )


class Plugin(BasePlugin):
    """Registered by the profile's `plugins`; the macros add_partitions, json_text and json_texts call the functions."""

    def configure_connection(self, conn: DuckDBPyConnection) -> None:
        conn.create_function(
            "pci_convert_day", _convert_day, ["VARCHAR", "VARCHAR", "VARCHAR"], "BIGINT", side_effects=True
        )
        conn.create_function("pci_json_texts", json_texts, ["VARCHAR", "VARCHAR[]"], "VARCHAR[]")
