"""CloudTrail-like records by hypothesis: what writers of logs may leave, and more."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tests.checkout import ROOT

EXAMPLES, EXAMPLES_OF_A_RUN = 400, 8
MISSING = object()
SPECIAL_TEXTS = ('it\'s "so"', "50%_off\\", "two\nlines", "zoë🙂漢")

Value = Any
_EXACT = re.compile('"@@(.*?)@@"')

ODD_TEXTS = [
    *SPECIAL_TEXTS, "", "null", "-", " ", "%", "_", "\\", "\\%", "'", '"', "''", "\t", "a\r\nb", "\u2028", "{}", "[]",
    '{"a":1}', "true", "$.bucketName", "${1}", "\\1", "é" * 5, "x/y:z", "<script>", "HIDDEN_DUE_TO_SECURITY_REASONS",
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(ODD_TEXTS), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
)
# Numbers whose spelling says more than their value
numbers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from(["1.10", "1.0", "-0", "1e3", "1E-7", "0.1", "12345678901234567890", "100.00"]).map("@@{}@@".format),
)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
# What may stand where a text is usual. How an engine spells an escape or 1e3 when it turns JSON into text is its own
# affair (and nobody knows Athena's), so what becomes a text column, and is not compared as JSON, is spelled one way.
words = st.sampled_from(["a", "Admin", "example-pay-cardholder-data"])
plain = st.recursive(
    st.one_of(st.booleans(), st.integers(-999, 999), words),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(words, inner, max_size=2)),
    max_leaves=4,
)


def mostly(usual: st.SearchStrategy[Value], odd: st.SearchStrategy[Value] = plain) -> st.SearchStrategy[Value]:
    """What is usually there; sometimes something else, null or nothing at all."""
    kinds = {0: st.none(), 1: st.just(MISSING), 2: odd, 3: texts}
    return st.integers(0, 39).flatmap(lambda kind: kinds.get(kind, usual))


def objects(fields: dict[str, st.SearchStrategy[Value]]) -> st.SearchStrategy[Value]:
    """An object without the members that are missing."""
    return st.fixed_dictionaries(fields).map(lambda found: {k: v for k, v in found.items() if v is not MISSING})


@cache
def reviewed_calls() -> dict[str, list[tuple[str, str]]]:
    """The calls that the catalogue names for each requirement, its patterns filled in; on stores, of some services."""
    calls: dict[str, list[tuple[str, str]]] = {"sign-in": [("signin.amazonaws.com", "ConsoleLogin")]}
    with (ROOT / "seeds" / "catalogue" / "reviewed_events.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["applies_to"] == "always" or row["event_source"] in STORE_SERVICES:
                call = (row["event_source"], row["event_name"].replace("%", "X"))
                calls.setdefault(f"{row['requirement']} {row['applies_to']}", []).append(call)
    return calls


STORE_SERVICES = (
    "s3.amazonaws.com", "dynamodb.amazonaws.com", "kms.amazonaws.com", "logs.amazonaws.com", "athena.amazonaws.com",
)  # fmt: skip
NAMES = [
    "example-pay-cardholder-data", "example-pay-cardholder-data/AWSLogs", "example-pay-settlement-x", "payment-tokens",
    "example-pay-cloudtrail-logs", "alias/example-pay-cardholder", "aws-cloudtrail-logs-example-pay", "Admins",
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", "AdministratorAccess",
    "arn:aws:s3:::example-pay-cardholder-data/2026/a.csv", "select * from example-pay-cardholder-data; -- x",
    "/example-pay-cardholder-data%2F2026%2Fa.csv", "%65xample-pay-cardholder-data/a", "%C3%28/a", "***OMITTED***",
    "arn:aws:s3:us-east-1:111122223333:accesspoint/ap/object/a", "ap-metadata-s3alias/a", "0.0.0.0/1", "pl-1234",
]  # fmt: skip
KEYS = [
    "bucketName", "key", "tableName", "keyId", "userName", "groupName", "policyArn", "logGroupName", "name", "id",
    "queryString", "x-amz-copy-source", "groupId", "resourceArn", "instancesSet", "DeleteFlowLogsRequest", "cidrIp",
    "ipPermissions", "trailName", "functionName", "secretId", "snapshotId", "arn",
]  # fmt: skip
names, keys = st.sampled_from(NAMES), st.sampled_from(KEYS)
parameters = st.one_of(
    st.dictionaries(keys, st.one_of(names, names, texts, plain), max_size=4),
    st.builds(
        lambda known, other: {f"other-{key}": value for key, value in other.items()} | known,
        st.dictionaries(keys, names, max_size=3),
        st.dictionaries(texts, values, max_size=3),
    ),
)

ARNS = [
    "arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:user/ana",
    "arn:aws:iam::111122223333:user/break-glass-1", "arn:aws:sts::111122223333:federated-user/x",
    "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_AdministratorAccess_1/zoë",
    "arn:aws:sts::111122223333:assumed-role/example-pay-checkout/i-1",
]  # fmt: skip
arns = st.sampled_from(ARNS)
identities = objects(
    {
        "type": mostly(st.sampled_from(["Root", "IAMUser", "AssumedRole", "AWSService", "AWSAccount", "Unknown"])),
        "principalId": mostly(texts),
        "arn": mostly(arns),
        "accountId": mostly(st.just("111122223333")),
        "accessKeyId": mostly(st.just("AKIAIOSFODNN7EXAMPLE")),
        "userName": mostly(texts),
        "invokedBy": mostly(st.just(MISSING), st.just("cloudtrail.amazonaws.com")),
        "sessionContext": mostly(
            objects(
                {
                    "attributes": mostly(objects({"mfaAuthenticated": mostly(st.sampled_from(["true", "false"]))})),
                    "sessionIssuer": mostly(objects({"arn": mostly(arns), "userName": mostly(texts)})),
                }
            )
        ),
        "onBehalfOf": mostly(st.just(MISSING), objects({"userId": mostly(texts)})),
    }
)
# Always a list, as CloudTrail documents it: what Athena makes of another type in this column is not known, and the
# embedded target keeps its text.
resources = st.lists(
    objects(
        {"ARN": mostly(st.one_of(arns, names), st.just(MISSING)), "accountId": mostly(words), "type": mostly(texts)}
    ),
    max_size=3,
)
times = st.one_of(
    st.times().map(lambda time: f"2026-03-10T{time:%H:%M:%S}Z"),
    st.sampled_from(["2026-02-30T10:00:00Z", "2026-03-10T24:00:00Z", "2026-03-10T12:34:60Z", "2026-03-10 10:00:00"]),
)


@st.composite
def records(draw: st.DrawFn) -> dict[str, Value]:
    """One record."""
    source, name = draw(st.one_of([st.sampled_from(calls) for calls in reviewed_calls().values()]))
    return draw(
        objects(
            {
                "eventVersion": mostly(st.just("1.11")),
                "userIdentity": mostly(identities),
                "eventTime": mostly(times),
                "eventSource": mostly(st.just(source)),
                "eventName": mostly(st.just(name)),
                "awsRegion": mostly(st.just("us-east-1")),
                "sourceIPAddress": mostly(st.sampled_from(["203.0.113.10", "cloudtrail.amazonaws.com"])),
                "userAgent": mostly(texts),
                "errorCode": mostly(
                    st.just(MISSING), st.sampled_from(["AccessDenied", "Client.UnauthorizedOperation", "X%"])
                ),
                "errorMessage": mostly(st.just(MISSING), texts),
                "requestParameters": mostly(parameters),
                "responseElements": mostly(st.one_of(parameters, st.sampled_from([{"ConsoleLogin": "Failure"}]))),
                "additionalEventData": mostly(st.sampled_from([{"MFAUsed": "Yes"}, {"MFAUsed": "No"}])),
                "readOnly": mostly(st.booleans()),
                "resources": st.one_of(resources, resources, st.none(), st.just(MISSING)),
                "eventType": mostly(st.sampled_from(["AwsApiCall", "AwsServiceEvent", "AwsConsoleSignIn"])),
                "managementEvent": mostly(st.booleans()),
                "recipientAccountId": mostly(st.just("111122223333")),
                "serviceEventDetails": mostly(st.just(MISSING), parameters),
                "sharedEventID": mostly(st.just(MISSING), texts),
                "eventCategory": mostly(st.sampled_from(["Management", "Data"])),
            }
        )
    )


def generated_records() -> list[str]:
    """The JSON text of EXAMPLES records, the same each time, and of some that are made by hand."""
    found: list[str] = []

    def keep(record: dict[str, Value], kind: int) -> None:
        if not any(key.lower() == "eventid" for key in record):
            record["eventID"] = f"generated-{len(found)}"
        if kind == 0:
            record = _lower_case(record)
        found.append(_text(record, ascii_only=kind < 5))

    # many short runs: in a long one hypothesis varies what it has, and here nothing tells it what is worth varying
    for number in range(EXAMPLES // EXAMPLES_OF_A_RUN):
        once = settings(
            max_examples=EXAMPLES_OF_A_RUN, database=None, deadline=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        seed(number)(once(given(records(), st.integers(0, 9))(keep)))()
    huge = {"bucketName": "example-pay-cardholder-data", "key": "'%_\"é\\" * 30_000, "list": list(range(20_000))}
    by_hand: list[dict[str, Value]] = [
        {"requestParameters": huge},
        # JSON has no other way to write a NUL
        {"requestParameters": {"bucketName": "example-pay-cardholder-data", "key": "a\0b"}},
        *({"userAgent": text, "errorMessage": text, "requestParameters": {"userName": text}} for text in SPECIAL_TEXTS),
    ]
    for number, changes in enumerate(by_hand):
        usual = {
            "eventID": f"by-hand-{number}",
            "eventTime": "2026-03-10T10:00:00Z",
            "eventSource": "iam.amazonaws.com",
            "eventName": "AddUserToGroup",  # which is reviewed always
            "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"},
        }
        found.append(_text(usual | changes, ascii_only=bool(number % 2)))
    return found


def _text(record: dict[str, Value], ascii_only: bool) -> str:
    return _EXACT.sub(r"\1", json.dumps(record, ensure_ascii=ascii_only, separators=(",", ":")))


def _lower_case(record: dict[str, Value]) -> dict[str, Value]:
    """With the names of members in lower case, as some writers pass records on; what a call was given stays."""
    lower = {key.lower(): value for key, value in record.items()}
    if isinstance(identity := record.get("userIdentity"), dict):
        lower["useridentity"] = {key.lower(): value for key, value in identity.items()}
    return lower
