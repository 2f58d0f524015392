"""Asks Athena for the profile's work group before anything runs: without it, every query would fail for itself."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .dbt_run import DbtFailed


def check_work_group(output: dict[str, Any]) -> None:
    """Raises DbtFailed where the work group that profiles.yml names can't be used.

    One that enforces a place for its results would have Athena write the tables there, too, where they may expire.
    """
    name = output.get("work_group") or "primary"
    session = boto3.Session(profile_name=output.get("aws_profile_name"), region_name=output["region_name"])
    try:
        found = session.client("athena").get_work_group(WorkGroup=name)["WorkGroup"].get("Configuration", {})
    except (BotoCoreError, ClientError) as error:
        raise DbtFailed(f"work group {name!r} can't be used: {error}") from error
    place = found.get("ResultConfiguration", {}).get("OutputLocation")
    if place and found.get("EnforceWorkGroupConfiguration"):
        raise DbtFailed(
            f"work group {name!r} overrides client-side settings, so that the tables would lie among its query results "
            f"in {place}, not in s3_data_dir: switch the override off"
        )
