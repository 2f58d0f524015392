"""The project on the local Athena, and how its rows are compared with the embedded target's."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.checkout import ROOT, Checkout, Ended
from tests.end_to_end.interrupted import killing
from tests.local_athena.athena_api import QueryRecord
from tests.local_athena.iam import Role
from tests.local_athena.service import LocalAthena, Place

Row = dict[str, str | None]

TODAY = "2026-03-12"  # the day after the last one of the sample

REQUIREMENT_MODELS = tuple(sorted(path.stem for path in (ROOT / "models" / "requirements").glob("pci_*.sql")))
# In a folder a file has a SHA-256, in S3 an ETag.
LEFT_OUT = {"log_files": ("sha256", "etag"), "public_keys": ("source",)}
RELATIONS = (*REQUIREMENT_MODELS, "findings", "log_files", "log_coverage", "daily_review", "expected_lines")
_JSON = ("request_parameters", "response_elements")


@dataclass(frozen=True)
class OnAthena:
    """A checkout whose tables are in a place of the local Athena.

    With a `role`, everything that the wrapper asks of AWS is held against its policies; `keys` are the KMS keys (ARNs)
    of buckets (names) and topics (ARNs), for which the role is asked, too.
    """

    service: LocalAthena
    place: Place
    checkout: Checkout
    role: Role | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    """Options of the wrapper, as its environment variables."""

    @classmethod
    def new(cls, service: LocalAthena, home: Path, *, copied: bool = False) -> OnAthena:
        """A place with empty buckets."""
        return cls(service, service.new_place(home.name), Checkout.of(home, copied=copied))

    def review(self, run_date: str, *arguments: str, **environment: str) -> Ended:
        """Runs the wrapper on the athena target."""
        return self.interrupted("never", "run", "--run-date", run_date, *arguments, **environment)

    def dbt(self, *arguments: str, **environment: str) -> Ended:
        """Runs dbt alone on the athena target."""
        return self.checkout.dbt(*arguments, "--target", "athena", **(self.environment | environment))

    def interrupted(self, step: str, *arguments: str, **environment: str) -> Ended:
        """Runs the wrapper on the athena target until it kills itself at a step (tests/end_to_end/interrupted.py)."""
        with self.service.under(self.role, self.keys):
            return self.checkout.ended(killing(step, TODAY, *arguments), self.environment | environment)

    def begun(self, step: str, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """The same, while it runs."""
        return self.checkout.begun(killing(step, TODAY, *arguments), self.environment | environment)

    def review_while_another_does(self, *arguments: str, **environment: str) -> tuple[Ended, Ended]:
        """Two runs at once, the second begun when the first holds the lock; how both ended."""
        with self.service.under(self.role, self.keys):
            first = self.begun("never", *arguments, **environment)
            while first.poll() is None and not self._is_locked_by_process(first.pid):
                time.sleep(0.1)
            # the command line as it is, which does not think the first one dead at once
            second = self.checkout.run(*arguments, "--max-days", "1", **(self.environment | environment))
            out, errors = first.communicate(timeout=600)
        return Ended(first.returncode, out + errors), second

    def _is_locked_by_process(self, pid: int) -> bool:
        try:
            lock = self.service.s3.get_object(Bucket=self.place.evidence_bucket, Key="evidence/lock.json")
        except self.service.s3.exceptions.NoSuchKey:
            return False
        return bool(json.loads(lock["Body"].read())["pid"] == pid)

    @property
    def environment(self) -> dict[str, str]:
        place = {"PCI_LOG_REVIEW_EVIDENCE": self.evidence_place, "PCI_LOG_REVIEW_TARGET": "athena"}
        # ListPublicKeys answers
        asked = {"PCI_LOG_REVIEW_PUBLIC_KEYS": ""}
        return self.service.environment | self.place.environment | place | asked | dict(self.options)

    @property
    def evidence_place(self) -> str:
        return f"s3://{self.place.evidence_bucket}/evidence"

    def evidence(self, run_date: str) -> dict[str, bytes]:
        """The files of the day's last sealed evidence, by name."""
        s3, bucket, folder = self.service.s3, self.place.evidence_bucket, f"evidence/{run_date}/"
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        last = max(key.removesuffix("manifest.json") for key in keys if key.endswith("/manifest.json"))
        return {
            key.removeprefix(last): s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in keys
            if key.startswith(last)
        }

    def rows(self, relation: str, where: str = "true") -> list[Row]:
        """The rows of a relation, as comparable text."""
        found = self.service.run(f"select * from {relation} where {where}", self.place)
        return _comparable(found.columns, found.rows)

    def queries(self) -> list[QueryRecord]:
        """Every statement that this place's work group has run, oldest first."""
        return self.service.history(self.place.work_group)

    def all_rows(self) -> dict[str, list[Row]]:
        """The rows of every table that dbt builds, by name."""
        return {relation: self.rows(relation) for relation in ("stg_cloudtrail__events", *RELATIONS)}

    def days_of(self, table: str) -> set[str]:
        """The days of which a table has a partition; a view has none."""
        pages = self.service.glue.get_paginator("get_partitions").paginate(
            DatabaseName=self.place.database, TableName=table
        )
        return {partition["Values"][0] for page in pages for partition in page["Partitions"]}

    def keys_of_tables(self) -> list[str]:
        """Every object in which tables have rows."""
        pages = self.service.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.place.data_bucket, Prefix="tables/"
        )
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    @contextmanager
    def without_logs_of(self, run_date: str) -> Iterator[None]:
        """Takes a day's log files and digests out of the bucket for a while."""
        files = self._delivered(run_date)
        assert files
        for key in files:
            self.service.s3.delete_object(Bucket=self.place.log_bucket, Key=key)
        yield
        for key, content in files.items():
            self.put(key, content)

    @contextmanager
    def with_log_file(self, key: str, record: dict[str, str]) -> Iterator[None]:
        """Puts a log file of one record into the bucket for a while."""
        self.put(key, gzip.compress(json.dumps({"Records": [record]}).encode()))
        yield
        self.service.s3.delete_object(Bucket=self.place.log_bucket, Key=key)

    def put(self, key: str, content: bytes) -> None:
        """Writes an object into the log bucket."""
        self.service.s3.put_object(Bucket=self.place.log_bucket, Key=key, Body=content)

    def log_files(self, run_date: str) -> dict[str, bytes]:
        """The log files of a day and their content, by key."""
        return {key: content for key, content in self._delivered(run_date).items() if "/CloudTrail/" in key}

    def _delivered(self, run_date: str) -> dict[str, bytes]:
        """Every file of a day and its content, by key: log files and digests."""
        pages = self.service.s3.get_paginator("list_objects_v2").paginate(Bucket=self.place.log_bucket)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        day = f"/{run_date.replace('-', '/')}/"
        s3, bucket = self.service.s3, self.place.log_bucket
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys if day in key}


def local_rows(checkout: Checkout, relation: str, where: str = "true") -> list[Row]:
    """The rows of a relation on the embedded target, as comparable text."""
    columns = [name for (name,) in checkout.rows(f"select column_name from (describe {relation})")]
    return _comparable(columns, checkout.rows(f"select columns(*)::varchar from {relation} where {where}"))


def differences(local: list[Row], athena: list[Row], relation: str) -> list[str]:
    """In words, which rows the two targets do not share; of two rows that nearly agree, what differs."""
    ours, theirs = (_counted(rows, LEFT_OUT.get(relation, ())) for rows in (local, athena))
    only_ours, only_theirs = (sorted((x - y).elements(), key=repr) for x, y in ((ours, theirs), (theirs, ours)))
    told = [f"{relation}: {len(only_ours)} rows only on local, {len(only_theirs)} only on athena"]
    for one in only_ours:
        near = max(only_theirs, key=lambda other: len(set(one) & set(other)), default=())
        told.append(f"  local {dict(set(one) - set(near))}\n  athena {dict(set(near) - set(one))}"[:2_000])
    if not only_ours:
        told += [f"  athena {dict(row)}"[:2_000] for row in only_theirs]
    return told if only_ours or only_theirs else []


def _counted(rows: Iterable[Row], left_out: Iterable[str]) -> Counter[tuple[tuple[str, str | None], ...]]:
    return Counter(tuple((name, row[name]) for name in sorted(row) if name not in left_out) for row in rows)


def comparable(rows: Iterable[Row]) -> list[Row]:
    """Rows whose texts are the same wherever they mean the same."""
    return [{name: _text(name, value) for name, value in row.items()} for row in rows]


def _comparable(columns: list[str], rows: Iterable[tuple[str | None, ...]]) -> list[Row]:
    return comparable(dict(zip(columns, row, strict=True)) for row in rows)


def _text(column: str, value: str | None) -> str | None:
    if value is None:
        return None
    if column in ("event_time", "first_event"):
        return value.removesuffix(".000")  # only Trino writes fractions that are none
    if column in _JSON:
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            pass  # some writers leave text that is no JSON
    return value
