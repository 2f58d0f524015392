"""What the local Athena itself must hold, so that tests built on it prove something."""

from __future__ import annotations

import gzip
import json
import time
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError
from tests.local_athena.cloudtrail_format import BYTES_FACTOR, gunzip, gzip_of_size, unfold_records
from tests.local_athena.errors import QueryFailed
from tests.local_athena.service import LocalAthena, Place

EVENTS = [
    {
        "eventID": "first",
        "eventName": "RunInstances",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111111111111:user/zoë"},
        "requestParameters": {"b": 1.50, "a": [{"quote": 'it\'s "so"'}], "path": "C:\\x"},
        "readOnly": False,
    },
    {"eventID": "second", "eventName": "ConsoleLogin", "userIdentity": "odd", "requestParameters": None},
]

TABLE = """
create external table cloudtrail_logs (
    eventID string,
    eventName string,
    userIdentity struct<type: string, arn: string>,
    requestParameters string,
    readOnly string
)
comment 'log files'
partitioned by (account_id string, region string, year string, month string, day string)
row format serde 'org.apache.hive.hcatalog.data.JsonSerDe'
stored as inputformat 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'
outputformat 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'
location 's3://{bucket}/AWSLogs/'
tblproperties ('classification' = 'cloudtrail')
"""


@dataclass(frozen=True)
class Logs:
    """A table over log files."""

    athena: LocalAthena
    place: Place

    def put(self, day: str, content: bytes, account: str = "111111111111") -> str:
        """Store a log file and return its path."""
        key = f"AWSLogs/{account}/CloudTrail/eu-west-1/2026/05/{day}/{account}_CloudTrail_{day}.json.gz"
        self.athena.s3.put_object(Bucket=self.place.log_bucket, Key=key, Body=content)
        return f"s3://{self.place.log_bucket}/{key}"

    def partition(self, day: str, account: str = "111111111111") -> str:
        """The clause that adds a day."""
        folder = f"s3://{self.place.log_bucket}/AWSLogs/{account}/CloudTrail/eu-west-1/2026/05/{day}/"
        values = f"account_id = '{account}', region = 'eu-west-1', year = '2026', month = '05', day = '{day}'"
        return f"partition ({values}) location '{folder}'"

    def add(self, *days: str) -> None:
        """Make days queryable."""
        clauses = " ".join(self.partition(day) for day in days)
        self.athena.run(f"alter table cloudtrail_logs add if not exists {clauses}", self.place)


@pytest.fixture
def logs(local_athena: LocalAthena, athena_place: Place) -> Logs:
    """CloudTrail's table without partitions."""
    local_athena.run(TABLE.format(bucket=athena_place.log_bucket), athena_place)
    return Logs(local_athena, athena_place)


def log_file(events: object = EVENTS) -> bytes:
    """A log file as CloudTrail delivers it."""
    return gzip.compress(json.dumps({"Records": events}, separators=(",", ":"), ensure_ascii=False).encode())


def test_a_statement_over_the_limit_is_refused(local_athena: LocalAthena, athena_place: Place) -> None:
    with pytest.raises(ClientError, match="Member must have length less than or equal to 262144") as refused:
        local_athena.run("select '" + "é" * 131_072 + "'", athena_place)
    assert refused.value.response["Error"]["Code"] == "InvalidRequestException"
    assert local_athena.run("select 1 -- " + "x" * 262_000, athena_place).rows == [("1",)]


def test_an_unknown_work_group_and_a_missing_bucket_are_refused(local_athena: LocalAthena) -> None:
    place = Place("none", "no-such-bucket", "none", "none", "default", "no-such-group")
    with pytest.raises(ClientError, match=r"InvalidRequestException.*WorkGroup is not found"):
        local_athena.start("select 1", place)
    with pytest.raises(ClientError, match="Unable to verify/create output bucket no-such-bucket"):
        local_athena.start("select 1", Place("none", "no-such-bucket", "none", "none", "default", "primary"))


def test_a_cancelled_query_ends_cancelled(local_athena: LocalAthena, athena_place: Place) -> None:
    numbers = "unnest(sequence(1, 9000))"
    slow = f"select count(*) from {numbers} a(x), {numbers} b(y), {numbers} c(z) where x * y + z = 7"
    query_id = local_athena.start(slow, athena_place)
    time.sleep(0.5)
    local_athena.athena.stop_query_execution(QueryExecutionId=query_id)
    record = local_athena.wait(query_id, seconds=10)
    assert (record.state, record.reason) == ("CANCELLED", "Query cancelled by user")


def test_throttled_calls_are_retried_by_the_client(local_athena: LocalAthena, athena_place: Place) -> None:
    local_athena.faults.throttle("StartQueryExecution", times=2)
    before = local_athena.faults.calls["StartQueryExecution"]
    assert local_athena.run("select 1", athena_place).rows == [("1",)]
    assert local_athena.faults.calls["StartQueryExecution"] - before == 3


def test_a_denied_glue_call_fails_queries_with_its_name(logs: Logs) -> None:
    logs.athena.faults.deny_glue("BatchCreatePartition")
    with pytest.raises(QueryFailed, match=r"not authorized to perform: glue:BatchCreatePartition"):
        logs.add("01")
    logs.athena.faults.clear()
    logs.athena.faults.deny_glue("GetPartitions")
    with pytest.raises(QueryFailed, match=r"Insufficient permissions .* glue:GetPartitions"):
        logs.athena.run("select * from cloudtrail_logs", logs.place)


def test_errors_carry_the_engines_name_and_place(local_athena: LocalAthena, athena_place: Place) -> None:
    with pytest.raises(QueryFailed, match=r"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog\..*\.nothing'"):
        local_athena.run("select * from nothing", athena_place)
    query = local_athena.history(athena_place.work_group)[-1]
    execution = local_athena.athena.get_query_execution(QueryExecutionId=query.query_id)["QueryExecution"]
    assert execution["Status"]["State"] == "FAILED"
    assert execution["Status"]["AthenaError"]["ErrorCategory"] == 2


def test_the_history_of_a_work_group_holds_its_queries_alone(local_athena: LocalAthena, athena_place: Place) -> None:
    local_athena.run("select 1", athena_place)
    local_athena.run("select 2", local_athena.new_place())
    local_athena.run("select 3", athena_place)
    assert [record.statement for record in local_athena.history(athena_place.work_group)] == ["select 1", "select 3"]
    ids = local_athena.athena.list_query_executions(WorkGroup=athena_place.work_group)["QueryExecutionIds"]
    found = local_athena.athena.batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
    assert [execution["Query"] for execution in found] == ["select 3", "select 1"]


def test_results_come_in_pages_and_as_a_file(local_athena: LocalAthena, athena_place: Place) -> None:
    result = local_athena.run("select x, nullif(x, 2) y from unnest(sequence(1, 2500)) t(x) order by 1", athena_place)
    assert len(result.rows) == 2500
    assert result.rows[:2] == [("1", "1"), ("2", None)]
    written = local_athena.s3.get_object(Bucket=athena_place.results_bucket, Key=f"results/{result.query.query_id}.csv")
    assert written["Body"].read().decode().splitlines()[:3] == ['"x","y"', '"1","1"', '"2",']


def test_partitions_added_twice_are_there_once(logs: Logs) -> None:
    logs.add("01", "02")
    logs.add("02", "03")
    shown = logs.athena.run("show partitions cloudtrail_logs", logs.place).rows
    assert [row[0][-6:] for row in shown if row[0]] == ["day=01", "day=02", "day=03"]
    with pytest.raises(QueryFailed, match="AlreadyExistsException"):
        logs.athena.run(f"alter table cloudtrail_logs add {logs.partition('03')}", logs.place)


def test_thousands_of_partitions_stay_quick(logs: Logs) -> None:
    clauses = [logs.partition("01", f"{number:012}") for number in range(2000)]
    started = time.monotonic()
    for start in range(0, len(clauses), 100):
        batch = " ".join(clauses[start : start + 100])
        logs.athena.run(f"alter table cloudtrail_logs add if not exists {batch}", logs.place)
    path = logs.put("01", log_file(), account="000000001999")
    query = "select \"$path\" from cloudtrail_logs where account_id = '000000001999' and day = '01'"
    assert set(logs.athena.run(query, logs.place).rows) == {(path,)}
    assert time.monotonic() - started < 20


def test_each_record_is_a_row_with_its_files_true_path(logs: Logs) -> None:
    path = logs.put("01", log_file())
    logs.add("01")
    result = logs.athena.run(
        'select eventid, useridentity.arn, readonly, "$path", day from cloudtrail_logs order by 1', logs.place
    )
    assert result.rows == [
        ("first", "arn:aws:iam::111111111111:user/zoë", "false", path, "01"),
        ("second", None, None, path, "01"),
    ]


def test_objects_in_text_columns_keep_their_spelling(logs: Logs) -> None:
    spelled = '{ "b": 1.50, "a": [{"x": "\\u00eb \\u0027"}], "n": null }'
    logs.put("01", gzip.compress(b'{"Records": [{"eventID": "1", "requestParameters": ' + spelled.encode() + b"}]}"))
    logs.add("01")
    result = logs.athena.run(
        "select requestparameters, json_extract_scalar(requestparameters, '$.a[0].x') from cloudtrail_logs", logs.place
    )
    assert result.rows == [(spelled, "ë '")]


@pytest.mark.parametrize(
    "content",
    [b"no gzip at all", log_file()[:-30], gzip.compress(b'{"Records": [{"eventID": "1"'), gzip.compress(b'{"a": 1}')],
    ids=["no gzip", "gzip cut short", "JSON cut short", "no records"],
)
def test_a_corrupt_file_fails_the_query_and_is_named(logs: Logs, content: bytes) -> None:
    logs.put("01", log_file())
    path = logs.put("02", content)
    logs.add("01", "02")
    with pytest.raises(QueryFailed, match=r"^HIVE_") as failed:
        logs.athena.run("select eventid from cloudtrail_logs", logs.place)
    assert path in failed.value.reason
    only_good = "select count(*) from cloudtrail_logs where day = '01'"
    assert logs.athena.run(only_good, logs.place).rows == [("2",)]


def test_a_file_that_is_replaced_is_read_anew(logs: Logs) -> None:
    logs.put("01", log_file())
    logs.add("01")
    count = "select count(*) from cloudtrail_logs"
    assert logs.athena.run(count, logs.place).rows == [("2",)]
    logs.put("01", log_file(EVENTS[:1]))
    assert logs.athena.run(count, logs.place).rows == [("1",)]


def test_bytes_scanned_are_the_bytes_of_the_files_read(logs: Logs) -> None:
    contents = {"01": log_file(), "02": log_file(EVENTS * 300), "03": log_file(EVENTS * 2)}
    for day, content in contents.items():
        logs.put(day, content)
    logs.add(*contents)
    read = logs.athena.run("select eventname from cloudtrail_logs where day < '03'", logs.place)
    assert read.query.bytes_scanned == read.query.raw_bytes_scanned == len(contents["01"]) + len(contents["02"])
    stored = "create table stored with (format = 'PARQUET') as select eventid from cloudtrail_logs where day = '01'"
    assert logs.athena.run(stored, logs.place).query.raw_bytes_scanned == len(contents["01"])
    again = logs.athena.run("select * from stored", logs.place)
    assert again.query.raw_bytes_scanned == 0
    assert again.query.bytes_scanned > 0


def test_trino_is_told_the_size_of_what_it_reads(logs: Logs) -> None:
    path = logs.put("01", log_file())
    logs.athena.s3.put_object(Bucket=logs.place.data_bucket, Key="other", Body=b"12345")
    logs.add("01")
    logs.athena.run("select eventid from cloudtrail_logs", logs.place)
    trino = logs.athena.client("s3", user_agent="aws-sdk-java")
    assert trino.head_object(Bucket=logs.place.data_bucket, Key="other")["ContentLength"] == 5
    log = {"Bucket": logs.place.log_bucket, "Key": path.split("/", 3)[3]}
    assert trino.head_object(**log)["ContentLength"] == BYTES_FACTOR * len(log_file())
    assert len(trino.get_object(**log, Range="bytes=10-19")["Body"].read()) == 10
    assert logs.athena.s3.head_object(**log)["ContentLength"] == len(log_file())


def test_glue_keeps_the_table_as_it_was_declared(logs: Logs) -> None:
    logs.add("01")
    logs.athena.run("select count(*) from cloudtrail_logs", logs.place)
    table = logs.athena.glue.get_table(DatabaseName=logs.place.database, Name="cloudtrail_logs")["Table"]
    storage = table["StorageDescriptor"]
    assert storage["InputFormat"] == "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
    assert storage["Columns"][2] == {"Name": "useridentity", "Type": "struct<type:string,arn:string>"}
    assert table["Description"] == "log files"


def test_an_unfolded_file_has_a_known_multiple_of_the_bytes() -> None:
    content = log_file(EVENTS * 50)
    lines = b"".join(unfold_records(gunzip(content), {"eventid": "string"}))
    padded = gzip_of_size(lines, BYTES_FACTOR * len(content))
    assert len(padded) == BYTES_FACTOR * len(content)
    assert gunzip(padded) == gzip.decompress(padded) == lines
