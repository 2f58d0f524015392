"""The container's entry: settings that lie in S3 are fetched, then the command line takes this process's place.

With PCI_LOG_REVIEW_SETTINGS=s3://bucket/prefix the files directly below the prefix are the settings; a folder's name is
left as it is. Everything else is the command line's own.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from pci_log_review.common.aws import aws_session, is_s3, s3_place
from pci_log_review.common.errors import UsageError
from pci_log_review.console.reporter import JsonReporter

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

SETTINGS = "PCI_LOG_REVIEW_SETTINGS"
_USAGE = 2
_MOST_BYTES = 1 << 26  # settings have some KB


def fetch_settings(where: str, folder: Path, client: S3Client) -> None:
    """Writes the CSV files directly below `where` to the folder. Raises UsageError where there are none, or they can't
    be read.
    """
    try:
        place = s3_place(where)
        pages = client.get_paginator("list_objects_v2").paginate(
            Bucket=place.bucket, Prefix=place.prefix, Delimiter="/"
        )
        for found in (found for page in pages for found in page.get("Contents", [])):
            name = found["Key"].removeprefix(place.prefix)
            if name.endswith(".csv"):
                if found["Size"] > _MOST_BYTES:
                    raise UsageError(f"settings: s3://{place.bucket}/{found['Key']} is too large to be a settings file")
                body = client.get_object(Bucket=place.bucket, Key=found["Key"])["Body"]
                (folder / name).write_bytes(body.read())
    except (BotoCoreError, ClientError, ValueError, OSError) as error:
        raise UsageError(f"settings: {where} can't be read: {error}") from error
    if not any(folder.iterdir()):
        raise UsageError(f"settings: {where} has no CSV files; put there what `pci-log-review init` writes")


def main() -> None:
    """Replaces this process by the command line, so that signals and the exit code are its own."""
    os.umask(0o077)
    where = os.environ.get(SETTINGS, "")
    try:
        if is_s3(where):
            folder = tempfile.mkdtemp(prefix="settings-")
            fetch_settings(where, Path(folder), aws_session().client("s3"))
            os.environ[SETTINGS] = folder
    except (UsageError, BotoCoreError) as error:
        JsonReporter().failed(str(error))
        sys.exit(_USAGE)
    os.execv(sys.executable, [sys.executable, "-m", "pci_log_review", *sys.argv[1:]])  # noqa: S606  # no shell


if __name__ == "__main__":
    main()
