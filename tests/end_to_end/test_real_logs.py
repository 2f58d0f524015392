"""All real logs, reviewed in one day, against an independent count in plain Python.

The day is the folder's, so every file is laid into the folders of one day: one run instead of a hundred.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.checkout import ROOT, Checkout

REAL_LOGS = ROOT.parent / "shared" / "real_logs"
DAY = "2026-03-10"
REFUSALS = re.compile(
    r"AccessDenied|Unauthorized|NotAuthorized|OperationNotPermitted|AuthFailure|InvalidClientTokenId"
    r"|UnrecognizedClient|SignatureDoesNotMatch|ExpiredToken|Forbidden"
)
READS = re.compile(r"(Describe|Get|List|Validate|Search|Lookup|BatchGet)[A-Z]")
# What two records have to say alike to be one event
SAID = (
    "eventID", "eventTime", "eventSource", "eventName", "eventType", "awsRegion", "errorCode", "errorMessage",
    "userIdentity", "sourceIPAddress", "userAgent", "requestParameters", "responseElements", "resources", "readOnly",
    "sharedEventID", "additionalEventData",
)  # fmt: skip

pytestmark = pytest.mark.skipif(not REAL_LOGS.is_dir(), reason="needs ../shared/real_logs, which is not here")


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file of every set, in the folders of one day."""
    logs = tmp_path_factory.mktemp("real")
    for path in sorted(REAL_LOGS.glob("*/AWSLogs/**/*.json.gz")):
        dataset, *_, account_id, kind, region, _year, _month, _day, name = path.relative_to(REAL_LOGS).parts
        target = logs / "AWSLogs" / account_id / kind / region / DAY.replace("-", "/") / f"{dataset}_{name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return logs


@pytest.fixture(scope="module")
def reviewed(laid_out: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The review of that day, with the settings that `init` writes."""
    checkout = Checkout.of(tmp_path_factory.mktemp("reviewed"))
    settings = checkout.home / "settings"
    assert checkout.run("init", "--logs", str(laid_out), "--settings", str(settings)).code == 0
    ended = checkout.review(DAY, laid_out, "--settings", str(settings))
    assert ended.code == 3, ended.last_lines
    # some accounts of the fivexl set have no account id, so they can't be in scope: the only gaps
    gaps = checkout.rows("select distinct account_id from log_coverage where gap is not null")
    assert gaps
    assert all(not re.fullmatch(r"\d{12}", account_id) for (account_id,) in gaps)
    assert "outside trail_scope" in ended.last_lines
    return checkout


def events(logs: Path) -> Iterator[dict[str, Any]]:
    """Every call of every account that can be in scope, each event once however often it was delivered the same."""
    seen = set()
    for path in sorted(logs.glob("AWSLogs/*/CloudTrail/*/**/*.json.gz")):
        account_id = path.relative_to(logs).parts[1]
        if not re.fullmatch(r"\d{12}", account_id):
            continue
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            account = record.get("recipientAccountId") or account_id
            key = json.dumps([account, *(record.get(name) for name in SAID)], sort_keys=True)
            if (key not in seen or not record.get("eventID")) and record.get("eventCategory") != "Insight":
                seen.add(key)
                yield record


def catalogue() -> dict[str, list[re.Pattern[str]]]:
    """For each requirement, what it reviews always: patterns of `source event`."""
    found = defaultdict(list)
    with (ROOT / "seeds" / "catalogue" / "reviewed_events.csv").open() as file:
        for line in csv.DictReader(file):
            # the two lines for every service are written anew below, with what they leave out
            if line["applies_to"] == "always" and line["event_source"] != "%":
                pattern = re.escape(f"{line['event_source']} {line['event_name']}").replace("%", ".*")
                found[line["requirement"]].append(re.compile(pattern))
    return found


@cache
def changes() -> dict[tuple[str, str], list[tuple[re.Pattern[str], set[str]]]]:
    """For each requirement and service, what it reviews by its request: patterns of events, and members."""
    found = defaultdict(list)
    with (ROOT / "seeds" / "catalogue" / "reviewed_changes.csv").open() as file:
        for line in csv.DictReader(file):
            pattern = re.compile(re.escape(line["event_name"]).replace("%", ".*"))
            members = set(line["request_members"].lower().split())
            found[line["requirement"], line["event_source"]].append((pattern, members))
    return found


def members_of(value: object) -> set[str]:
    """The names of all members of a JSON value and its texts, in lower case."""
    if isinstance(value, dict):
        return {name.lower() for name in value} | set().union(*map(members_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(members_of, value))
    return {value.lower()} if isinstance(value, str) else set()


def is_changed(requirement: str, record: dict[str, Any]) -> bool:
    """Whether the request changes something that the requirement is about, or is not recorded."""
    request = record.get("requestParameters")
    return any(
        pattern.fullmatch(text_of(record, "eventName")) and (not request or members & members_of(request))
        for pattern, members in changes()[requirement, text_of(record, "eventSource")]
    )


def text_of(record: dict[str, Any], name: str) -> str:
    """A field's text, empty where there is none."""
    value = record.get(name)
    return value if isinstance(value, str) else ""


def identity(record: dict[str, Any]) -> dict[str, Any]:
    """userIdentity, empty where it is no object."""
    value = record.get("userIdentity")
    return value if isinstance(value, dict) else {}


def expected(requirement: str, record: dict[str, Any], patterns: list[re.Pattern[str]]) -> bool:
    """Whether the record belongs to the requirement, by rules written anew here."""
    name = text_of(record, "eventName")
    listed = any(pattern.fullmatch(f"{text_of(record, 'eventSource')} {name}") for pattern in patterns)
    listed |= is_changed(requirement, record)
    code = text_of(record, "errorCode")
    match requirement:
        case "10.2.1.2":
            issuer = (identity(record).get("sessionContext") or {}).get("sessionIssuer") or {}
            is_root = "Root" in (identity(record).get("type"), issuer.get("type"))
            is_root |= any(str(arn).endswith(":root") for arn in (identity(record).get("arn"), issuer.get("arn")))
            return listed or is_root or "root" in (issuer.get("userName") or "")
        case "10.2.1.4":
            refused = bool(REFUSALS.search(code))
            failed = '"Failure"' in json.dumps([record.get("responseElements"), record.get("serviceEventDetails")])
            is_by_password = identity(record).get("type") in ("IAMUser", "Root") and name == "ConsoleLogin"
            with_mfa = str((record.get("additionalEventData") or {}).get("MFAUsed")).lower() == "yes"
            return refused or (listed and (failed or bool(code))) or (is_by_password and not with_mfa)
        case "10.4.1-security-groups":
            return listed or ("SecurityGroup" in name and not READS.match(name))
        case "10.4.1-network":
            return listed or ("Subnet" in name and not READS.match(name))
        case _:
            return listed


@pytest.mark.parametrize(
    "requirement",
    ["10.2.1.2", "10.2.1.4", "10.2.1.5", "10.2.1.7", "10.4.1-network", "10.4.1-security-groups"],
)
def test_the_findings_of_real_logs_are_those_of_an_independent_count(
    reviewed: Checkout, laid_out: Path, requirement: str
) -> None:
    patterns = catalogue()[requirement]
    by_hand = sorted(
        (text_of(record, "eventName"), text_of(record, "eventTime"))
        for record in events(laid_out)
        if expected(requirement, record, patterns)
    )
    found = reviewed.rows(
        "select event_name, coalesce(strftime(event_time, '%Y-%m-%dT%H:%M:%SZ'), '') "
        f"from findings where requirement = '{requirement}' order by all"
    )
    assert found == by_hand
    assert found


def test_audit_log_changes_of_real_logs_hold_every_attempt_done_or_not(reviewed: Checkout, laid_out: Path) -> None:
    patterns = catalogue()["10.2.1.6"]
    by_hand = sum(expected("10.2.1.6", record, patterns) for record in events(laid_out))
    assert reviewed.rows("select count(*) from pci_10_2_1_6_audit_log_changes") == [(by_hand,)]
    outcomes = dict(
        reviewed.rows(
            "select outcome, count(*) from pci_10_2_1_6_audit_log_changes where event_name = 'StopLogging' group by 1"
        )
    )
    assert {"success", "denied"} <= set(outcomes)


def test_every_event_of_real_logs_is_counted_in_the_coverage(reviewed: Checkout, laid_out: Path) -> None:
    records = sum(
        len(json.loads(gzip.decompress(path.read_bytes()))["Records"])
        for path in laid_out.glob("AWSLogs/*/CloudTrail/*/**/*.json.gz")
        if re.fullmatch(r"\d{12}", path.relative_to(laid_out).parts[1])
    )
    assert reviewed.rows("select sum(events)::integer from log_coverage") == [(records,)]
