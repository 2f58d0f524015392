"""The whole service: one object that starts everything, gives tests what they need, and stops everything."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import botocore
from botocore.config import Config

from .athena_api import AthenaApi, QueryRecord
from .authorization import Authorization
from .cloudtrail_format import CloudTrailFormat
from .errors import LocalAthenaUnavailable, QueryFailed
from .faults import Faults
from .gateway import ATHENA, REVIEWER, Gateway
from .glue import Glue
from .iam import Role
from .trino import AwsAccess, TrinoServer
from .trino_client import TrinoClient

if TYPE_CHECKING:
    from mypy_boto3_athena.client import AthenaClient
    from mypy_boto3_glue.client import GlueClient

ACCOUNT = "123456789012"
REGION = "us-east-1"
KEY = "testing"


@dataclass(frozen=True)
class Place:
    """What one test works in: buckets, a database and a work group that nobody else uses."""

    log_bucket: str
    results_bucket: str
    data_bucket: str
    evidence_bucket: str
    database: str
    work_group: str

    @property
    def logs(self) -> str:
        """Where the logs are, which AWSLogs/ lies below."""
        return f"s3://{self.log_bucket}"

    @property
    def results(self) -> str:
        """Where query results go (dbt's s3_staging_dir)."""
        return f"s3://{self.results_bucket}/results/"

    @property
    def data(self) -> str:
        """Where tables go (dbt's s3_data_dir)."""
        return f"s3://{self.data_bucket}/tables/"

    @property
    def environment(self) -> dict[str, str]:
        """The project's own variables (profiles.example.yml), which lead it to this place."""
        return {
            "PCI_LOG_REVIEW_LOGS": self.logs,
            "PCI_LOG_REVIEW_ATHENA_SCHEMA": self.database,
            "PCI_LOG_REVIEW_ATHENA_WORK_GROUP": self.work_group,
            "PCI_LOG_REVIEW_ATHENA_RESULTS": self.results,
            "PCI_LOG_REVIEW_ATHENA_DATA": self.data,
            "PCI_LOG_REVIEW_ATHENA_POLL_SECONDS": "0.05",
        }


@dataclass(frozen=True)
class Result:
    """The rows of a statement as Athena's texts, and its place in the history."""

    columns: list[str]
    rows: list[tuple[str | None, ...]]
    query: QueryRecord


class LocalAthena:
    """Athena, Glue, S3 and STS on this machine; a context manager."""

    def __init__(self, run_folder: Path | None = None) -> None:
        self.faults = Faults()
        self._scratch = None if run_folder else tempfile.TemporaryDirectory(prefix="local-athena-")
        self.run_folder = run_folder or Path(self._scratch.name if self._scratch else ".")
        cloudtrail = CloudTrailFormat()
        self._gateway = Gateway(Glue(ACCOUNT, REGION, cloudtrail), cloudtrail, self.faults, ACCOUNT, REGION)
        self.endpoint_url = self._gateway.url
        self._models = self._endpoints_of_one_region()
        self._trino = TrinoServer(AwsAccess(self.endpoint_url, REGION, ACCOUNT, ATHENA, ATHENA), self.run_folder)
        trino = TrinoClient(self._trino.url)
        glue, s3 = self.client("glue", access_key=ATHENA), self.client("s3", access_key=ATHENA)
        self._api = AthenaApi(trino, glue, s3, cloudtrail, self.faults)
        self._gateway.authorization = Authorization(ACCOUNT, REGION, self._api.work_group_of)

    def __enter__(self) -> LocalAthena:
        try:
            self._trino.start()
            self._gateway.start(self._api.answer)
            self._trino.wait_until_ready()
            self._wait_for_first_query()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.close()
        self._trino.stop()
        self._gateway.stop()
        if self._scratch is not None:
            self._scratch.cleanup()

    def _endpoints_of_one_region(self) -> Path:
        """AWS's list of endpoints, cut to this region, in a folder for AWS_DATA_PATH.

        dbt-athena opens a session for each connection, and each reads the whole list, a megabyte: a fifth of its time.
        """
        whole = json.loads((Path(botocore.__file__).parent / "data" / "endpoints.json").read_bytes())
        [partition] = [found for found in whole["partitions"] if REGION in found["regions"]]
        one = partition | {"regions": {REGION: partition["regions"][REGION]}, "services": {}}
        folder = self.run_folder / "aws_models"
        folder.mkdir(exist_ok=True)
        (folder / "endpoints.json").write_text(json.dumps(whole | {"partitions": [one]}))
        return folder

    def _wait_for_first_query(self) -> None:
        """Trino answers before it has found its own worker; a query of a table tells when it has, and warms it up."""
        place = self.new_place("start")
        self.s3.put_object(Bucket=place.data_bucket, Key="line/file", Body=b"ready")
        self.run(f"CREATE EXTERNAL TABLE start (line string) LOCATION 's3://{place.data_bucket}/line/'", place)
        for _ in range(100):
            try:
                self.run("SELECT line FROM start", place)
                return
            except QueryFailed as failure:
                if not failure.reason.startswith("NO_NODES_AVAILABLE"):
                    raise
                time.sleep(0.2)
        raise LocalAthenaUnavailable("Trino started, but its worker did not appear within 20 seconds")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead every AWS client, dbt's and boto3's, to this service."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": REVIEWER,
            "AWS_SECRET_ACCESS_KEY": REVIEWER,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DATA_PATH": str(self._models),
        }

    def client(self, service: Any, user_agent: str | None = None, access_key: str = KEY) -> Any:
        """A boto3 client of a service here."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id=access_key,
            aws_secret_access_key=access_key,
            # what is sent is ours, and a hundred partitions with all their columns are much to look through
            config=Config(user_agent=user_agent, parameter_validation=False),
        )

    @cached_property
    def s3(self) -> Any:
        """A client of S3."""
        return self.client("s3")

    @cached_property
    def glue(self) -> GlueClient:
        """A client of Glue."""
        client: GlueClient = self.client("glue")
        return client

    @cached_property
    def athena(self) -> AthenaClient:
        """A client of Athena."""
        client: AthenaClient = self.client("athena")
        return client

    def new_place(self, name: str = "test") -> Place:
        """Fresh buckets, a fresh database and a fresh work group."""
        unique = f"{name}-{uuid4().hex[:8]}".replace("_", "-")
        logs, results, data, evidence = (f"{unique}-{use}" for use in ("logs", "results", "data", "evidence"))
        place = Place(logs, results, data, evidence, unique.replace("-", "_"), unique)
        for bucket in (logs, results, data, evidence):
            self.s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=bucket == place.evidence_bucket)
        self.glue.create_database(DatabaseInput={"Name": place.database})
        self.athena.create_work_group(Name=place.work_group, Configuration={"EnforceWorkGroupConfiguration": False})
        return place

    def upload(self, folder: Path, bucket: str, prefix: str = "") -> int:
        """Put every file of a folder that holds AWSLogs/ into a bucket, under the same names; returns how many.

        Its public_keys.json, if it has one, is what CloudTrail's ListPublicKeys answers until the next upload.
        """
        keys = folder / "public_keys.json"
        self._gateway.public_keys = json.loads(keys.read_text()) if keys.is_file() else None
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        for path in files:
            key = f"{prefix.strip('/')}/{path.relative_to(folder).as_posix()}".lstrip("/")
            self.s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return len(files)

    def run(self, statement: str, place: Place, seconds: float = 120) -> Result:
        """Run one statement through Athena's API; QueryFailed with Athena's reason when it does not succeed."""
        query_id = self.start(statement, place)
        record = self.wait(query_id, seconds)
        if record.state != "SUCCEEDED":
            raise QueryFailed(record.reason or record.state)
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
        columns: list[str] = []
        rows: list[tuple[str | None, ...]] = []
        for page in pages:
            columns = [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
            rows += [tuple(d.get("VarCharValue") for d in row["Data"]) for row in page["ResultSet"]["Rows"]]
        return Result(columns, rows[1:] if columns else rows, record)  # a result with columns begins with a header

    def start(self, statement: str, place: Place) -> str:
        """Start one statement and return its query id."""
        started = self.athena.start_query_execution(
            QueryString=statement,
            QueryExecutionContext={"Database": place.database, "Catalog": "awsdatacatalog"},
            WorkGroup=place.work_group,
            ResultConfiguration={"OutputLocation": place.results},
        )
        return started["QueryExecutionId"]

    def wait(self, query_id: str, seconds: float = 120) -> QueryRecord:
        """Wait for a query to end, however it ends."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            record = next(record for record in self.history() if record.query_id == query_id)
            if record.state not in ("QUEUED", "RUNNING"):
                return record
            time.sleep(0.02)
        raise TimeoutError(f"query {query_id} still runs after {seconds} s")

    def history(self, work_group: str | None = None) -> list[QueryRecord]:
        """Every query so far, oldest first, of one work group or of all."""
        return self._api.history(work_group)

    @contextmanager
    def under(self, role: Role | None, keys: Mapping[str, str]) -> Iterator[None]:
        """For a while, what REVIEWER's access key asks, and what Athena does for it, is held against a role's policies.
        `keys` are the KMS keys (ARNs) of buckets (names) and topics (ARNs). Nothing changes without a role.
        """
        self._gateway.role, self._gateway.authorization.keys = role, dict(keys)
        try:
            yield
        finally:
            self._gateway.role, self._gateway.authorization.keys = None, {}

    @contextmanager
    def with_faults(self) -> Iterator[Faults]:
        """Switch faults on for a while: whatever is set inside is gone afterwards."""
        try:
            yield self.faults
        finally:
            self.faults.clear()
