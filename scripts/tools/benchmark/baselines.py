"""What the review is compared with, each in a process of its own:

    python -m tools.benchmark.baselines duckdb|chdb|gunzip FOLDER DAY BYTES

The seven queries of the article that this project automates, straight over a day's raw log files, each of which reads
them anew; and unpacking the files alone. BYTES is the size of the largest file's JSON. Prints the rows that each query
found. The queries are macros/article/article_queries.sql: 10.6 has two, and 10.2.1 and 10.2.3 are one, on two buckets.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from isal import isal_zlib

_CARDS, _LOGS = "example-pay-cardholder-data", "example-pay-cloudtrail-logs"
# {bucket} is the bucket of the request, as the engine says it
_ARTICLE = {
    "10.2.1, 10.2.3": "eventName = 'GetObject' and sourceIPAddress not in ('cloudtrail.amazonaws.com',"
    f" 'athena.amazonaws.com') and {{bucket}} in ('{_CARDS}', '{_LOGS}')",
    "10.2.2": "userIdentity.sessionContext.sessionIssuer.userName like '%root%'",
    "10.2.4": "eventName = 'ConsoleLogin' and responseElements like '%Failure%'",
    "10.2.5": "eventName = 'AddUserToGroup' and requestParameters like '%Admin%'",
    "10.2.6": "eventName = 'StopLogging' or eventName = 'StartLogging'",
    "10.6 security groups": "eventName like '%SecurityGroup%' and (eventName like 'Create%' or eventName like 'Delete%'"
    " or eventName like 'Update%' or eventName like 'Authorize%')",
    "10.6 subnets": "eventName like '%Subnet%' and eventName not like 'Describe%'",
}
_SHOWN = "eventTime, eventName, userIdentity.arn, sourceIPAddress, requestParameters"
_TEXTS = (
    "eventVersion", "eventTime", "eventSource", "eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode",
    "errorMessage", "requestParameters", "responseElements", "additionalEventData", "requestID", "eventID", "eventType",
    "apiVersion", "readOnly", "recipientAccountId", "serviceEventDetails", "sharedEventID", "vpcEndpointId",
)  # fmt: skip


def _duckdb(logs: str, largest: int) -> dict[str, int]:
    import duckdb

    identity = (
        "struct(type varchar, principalId varchar, arn varchar, accountId varchar, invokedBy varchar,"
        " accessKeyId varchar, userName varchar, sessionContext struct(attributes struct(mfaAuthenticated varchar,"
        " creationDate varchar), sessionIssuer struct(type varchar, principalId varchar, arn varchar,"
        " accountId varchar, userName varchar)))"
    )
    event = ", ".join([f"userIdentity {identity}", *(f"{name} varchar" for name in _TEXTS)])
    event += ", resources struct(ARN varchar, accountId varchar, type varchar)[]"
    table = (
        f"select unnest(Records, max_depth := 2) from read_json('{logs}', columns = {{Records: 'struct({event})[]'}},"
        # else it would look through whole files to find out what it is told here
        f" auto_detect = false, records = true, format = 'unstructured', maximum_object_size = {largest})"
    )
    connection = duckdb.connect()

    def rows(where: str) -> int:
        where = where.format(bucket="json_extract_string(requestParameters, '$.bucketName')")
        return len(connection.execute(f"select {_SHOWN} from ({table}) where {where}").fetchall())

    return _each(rows)


def _chdb(logs: str, _: int) -> dict[str, int]:
    import chdb  # type: ignore[import-not-found,unused-ignore]  # optional: whoever wants it installs it

    text = "Nullable(String)"
    issuer = f"Tuple(type {text}, principalId {text}, arn {text}, accountId {text}, userName {text})"
    context = f"Tuple(attributes Tuple(mfaAuthenticated {text}, creationDate {text}), sessionIssuer {issuer})"
    names = ("type", "principalId", "arn", "accountId", "invokedBy", "accessKeyId", "userName")
    identity = ", ".join([*(f"{name} {text}" for name in names), f"sessionContext {context}"])
    event = ", ".join([f"userIdentity Tuple({identity})", *(f"{name} {text}" for name in _TEXTS)])
    event += f", resources Array(Tuple(ARN {text}, accountId {text}, type {text}))"
    table = f"select arrayJoin(Records) as e from file('{logs}', 'JSONEachRow', 'Records Array(Tuple({event}))')"
    columns = ", ".join(f"e.{name} as {name}" for name in ("userIdentity", *_TEXTS))

    def rows(where: str) -> int:
        where = where.format(bucket="JSONExtractString(requestParameters, 'bucketName')")
        found = chdb.query(f"select {_SHOWN} from (select {columns} from ({table})) where {where}", "JSONCompact")
        return int(json.loads(str(found))["rows"])

    return _each(rows)


def _each(rows: Callable[[str], int]) -> dict[str, int]:
    return {number: rows(where) for number, where in _ARTICLE.items()}


def _gunzip(logs: str, largest: int) -> dict[str, int]:
    def unpacked(path: Path) -> int:
        return len(isal_zlib.decompress(path.read_bytes(), 31, largest))

    folder, _, pattern = logs.partition("/*/")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {"bytes": sum(pool.map(unpacked, Path(folder).glob(f"*/{pattern}")))}


def main() -> None:
    """Runs one of them."""
    name, folder, day, largest = sys.argv[1:]
    logs = f"{folder}/AWSLogs/*/CloudTrail/*/{day.replace('-', '/')}/*.json.gz"
    print(json.dumps({"duckdb": _duckdb, "chdb": _chdb, "gunzip": _gunzip}[name](logs, int(largest))))


if __name__ == "__main__":
    main()
