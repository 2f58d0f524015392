"""Tells Athena what was delivered: the bucket's listing of a day, as the table that dbt reads beside the logs."""

from __future__ import annotations

import io
from datetime import date

import boto3
import pyarrow as pa
from botocore.exceptions import BotoCoreError, ClientError
from pyarrow import parquet

from .deliveries import deliveries
from .lake import LOG_FILES
from .log_store import LogStoreError, open_store


def write_listing(logs: str, run_date: date, data_dir: str) -> int:
    """Lists what was delivered on `run_date` below `logs`, and writes it for the source `cloudtrail.log_files`.

    `data_dir` is the profile's s3_data_dir; the macro log_files_root names the same place. Returns the number of files.
    Raises LogStoreError where the logs can't be listed or the listing can't be written.
    """
    files = deliveries(open_store(logs), run_date)
    table = pa.Table.from_pylist([vars(file) for file in files], LOG_FILES)
    content = io.BytesIO()
    parquet.write_table(table, content)
    bucket, _, prefix = data_dir.removeprefix("s3://").rstrip("/").partition("/")
    key = f"{prefix}/cloudtrail_log_files/run_date={run_date}/log_files.parquet".lstrip("/")
    try:
        boto3.client("s3").put_object(Bucket=bucket, Key=key, Body=content.getvalue())
    except (BotoCoreError, ClientError) as error:
        raise LogStoreError(f"the listing can't be written to s3://{bucket}/{key}: {error}") from error
    return len(files)
