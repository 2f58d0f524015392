"""What holds for the rules as a whole: no line of the catalogue is without effect, and no event that a rule wants is
left out before the rule sees it."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.athena.test_other_logs import lay_generated, lay_odd
from tests.checkout import NO_TESTS, ROOT, Checkout
from tests.end_to_end.request_members import Request, members_of, requests_of

DAY = "2026-03-10"
FOLDER = f"AWSLogs/111122223333/CloudTrail/us-east-1/{DAY.replace('-', '/')}"
STORE = "the-store"
REQUIREMENTS = [
    line["requirement"] for line in yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]["requirements"]
]


def lines_of_catalogue() -> list[dict[str, str]]:
    with (ROOT / "seeds" / "catalogue" / "reviewed_events.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def events_of_judge() -> list[dict[str, str]]:
    """Events that have to be found, from AWS's documentation and from public rule sets, and not from the catalogue."""
    with (ROOT / "tests" / "judge" / "events.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def error_codes() -> list[dict[str, str]]:
    """Error codes that AWS documents, and whether each says that the call was refused."""
    with (ROOT / "tests" / "judge" / "error_codes.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def call_named_by(line: dict[str, str]) -> tuple[str, str]:
    """A service and an event that the line's patterns match."""
    return line["event_source"].replace("%", "example.amazonaws.com"), line["event_name"].replace("%", "2026")


def record(event_source: str, event_name: str, *, has_failed: bool = False, path: str = "") -> dict[str, Any]:
    """A complete record of a call that touches a listed store."""
    return {
        "eventID": f"{event_source} {event_name} {path}".strip(),
        "eventTime": f"{DAY}T08:00:00Z",
        "eventSource": event_source,
        "eventName": event_name,
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "userIdentity": {"type": "IAMUser", "userName": "ada", "arn": "arn:aws:iam::111122223333:user/ada"},
        "errorCode": "ServiceUnavailable" if has_failed else None,
        "requestParameters": {"name": STORE},
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
    }


# What failed sign-ins say, which have no error code; where others are refused, they have one
FAILED_SIGN_INS = ("ConsoleLogin", "CheckMfa", "SwitchRole")


def judged(event: dict[str, str]) -> dict[str, Any]:
    """The record of an event that has to be found; one of a store names it where its service does."""
    name, it = event["event_name"], record(event["event_source"], event["event_name"], has_failed=False)
    it["eventID"] = judged_id(event)
    it["managementEvent"] = event["category"] == "management"
    it["eventCategory"] = event["category"].capitalize()
    it["requestParameters"] = {event["parameter"]: STORE} if event["parameter"] else None
    if event["requirement"] == "10.2.1.4":
        failed: dict[str, Any] = {"responseElements": {name: "Failure"}}
        it |= failed if name in FAILED_SIGN_INS else {"errorCode": "AccessDenied"}
    return it


def judged_id(event: dict[str, str]) -> str:
    return f"judged {event['requirement']} {event['event_source']} {event['event_name']}"


def settings_with_a_store_of_each(services: Iterable[str], folder: Path) -> None:
    """The shipped settings, with one store of each service in both lists."""
    folder.mkdir()
    for path in (ROOT / "seeds" / "settings").glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    stores = "".join(f"{service},{STORE},a test\n" for service in sorted(services))
    for name in ("cardholder_data_stores", "audit_log_stores"):
        (folder / f"{name}.csv").write_text(f"event_source,name,description\n{stores}")


def lines_of_changes() -> list[dict[str, str]]:
    with (ROOT / "seeds" / "catalogue" / "reviewed_changes.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def changes_tried() -> dict[str, dict[str, Any]]:
    """A record for each member that makes an event count, by its id, and one for each event with none of them."""
    records = []
    for line in lines_of_changes():
        call = line["event_source"], line["event_name"].replace("%", "2026")
        for member in line["request_members"].split():
            records.append(record(*call, path=member) | {"requestParameters": {"of": [{member: "new"}]}})
        records.append(record(*call, path="nothing") | {"requestParameters": {"of": [{"anything": "new"}]}})
    return {one["eventID"]: one for one in records}


def requests_that_name_the_store() -> list[Request]:
    """For each event of the catalogue that counts on listed stores, a request for each of its texts."""
    events = {call_named_by(line): None for line in lines_of_catalogue() if line["applies_to"] == "listed stores"}
    return [request for event in events for request in requests_of(*event, STORE)]


@pytest.fixture(scope="module")
def day_of_the_catalogue(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The review of a day on which each line's event happened, those on stores once for each text that names one, and
    each of the judge's.
    """
    home = tmp_path_factory.mktemp("catalogue")
    lines = lines_of_catalogue()
    path = home / "logs" / FOLDER / f"111122223333_CloudTrail_us-east-1_{DAY.replace('-', '')}T0800Z_a.json.gz"
    path.parent.mkdir(parents=True)
    sign_ins = {call_named_by(line) for line in lines if line["requirement"] == "10.2.1.4"}
    records = [record(*call, has_failed=call in sign_ins) for call in dict.fromkeys(map(call_named_by, lines))]
    records += map(judged, events_of_judge())
    records += [
        record("ec2.amazonaws.com", "DescribeInstances", has_failed=False)
        | {"eventID": f"judged {code['error_code']}", "errorCode": code["error_code"]}
        for code in error_codes()
    ]
    records += [
        record(request.event_source, request.event_name, path=request.path) | {"requestParameters": request.parameters}
        for request in requests_that_name_the_store()
    ]
    records += changes_tried().values()
    path.write_bytes(gzip.compress(json.dumps({"Records": records}).encode()))
    with_stores = {call_named_by(line)[0] for line in lines if line["applies_to"] == "listed stores"}
    with_stores |= {event["event_source"] for event in events_of_judge() if event["parameter"]}
    settings_with_a_store_of_each(with_stores, home / "settings")
    checkout = Checkout.of(home / "reviewed")
    ended = checkout.review(DAY, home / "logs", "--settings", str(home / "settings"), **NO_TESTS)
    assert ended.code in (0, 3), ended.last_lines
    return checkout


@pytest.fixture(scope="module")
def found_by_the_catalogue(day_of_the_catalogue: Checkout) -> set[tuple[str, ...]]:
    """What is found where each line's event happened, and the judge's: the event's id, requirement, service, name,
    title and flags.
    """
    return set(
        day_of_the_catalogue.rows(
            "select event_id, requirement, event_source, event_name, title, coalesce(flags, '') from findings"
            " where event_id = event_source || ' ' || event_name or event_id like 'judged %'"
        )
    )


def test_a_listed_store_is_found_in_whatever_text_of_a_request_names_it(day_of_the_catalogue: Checkout) -> None:
    found = {
        event_id for (event_id,) in day_of_the_catalogue.rows("select event_id from findings where store = 'the-store'")
    }
    requests = requests_that_name_the_store()
    named = {f"{one.event_source} {one.event_name} {one.path}" for one in requests}
    assert len({(one.event_source, one.event_name) for one in requests}) > 250, "botocore's models were not found"
    assert sorted(named - found) == []


def test_an_event_counts_where_its_request_has_a_member_of_the_line_and_only_there(
    day_of_the_catalogue: Checkout,
) -> None:
    found = set(day_of_the_catalogue.rows("select requirement, event_id, title from findings"))
    for line in lines_of_changes():
        call = f"{line['event_source']} {line['event_name'].replace('%', '2026')}"
        for member in line["request_members"].split():
            assert (line["requirement"], f"{call} {member}", line["title"]) in found
        assert (line["requirement"], f"{call} nothing", line["title"]) not in found


def test_members_of_changes_are_of_the_requests_that_aws_describes() -> None:
    as_logged = {"groupset"}  # EC2's name for it in the log
    for line in lines_of_changes():
        named = set(line["request_members"].lower().split())
        assert named <= members_of(line["event_source"], line["event_name"].rstrip("%")) | as_logged, line


def test_every_line_of_the_catalogue_has_an_effect(found_by_the_catalogue: set[tuple[str, ...]]) -> None:
    flags = {found[1:5]: found[5].split(", ") for found in found_by_the_catalogue if not found[0].startswith("judged ")}
    without = [
        line
        for line in lines_of_catalogue()
        if (line["flag"] or "") not in [*flags.get((line["requirement"], *call_named_by(line), line["title"]), []), ""]
        or (line["requirement"], *call_named_by(line), line["title"]) not in flags
    ]
    assert not without


def test_every_event_that_aws_and_public_rule_sets_name_is_found(found_by_the_catalogue: set[tuple[str, ...]]) -> None:
    found = {(event_id, requirement) for event_id, requirement, *_ in found_by_the_catalogue}
    missed = [event for event in events_of_judge() if (judged_id(event), event["requirement"]) not in found]
    assert not [" ".join(list(event.values())[:3]) for event in missed]


def test_an_event_is_an_elevation_where_aws_and_public_rule_sets_say_so_and_nowhere_else(
    found_by_the_catalogue: set[tuple[str, ...]],
) -> None:
    flagged = {found[:2] for found in found_by_the_catalogue if "elevation" in found[5].split(", ")}
    wrong = [
        event
        for event in events_of_judge()
        if ((judged_id(event), event["requirement"]) in flagged) != (event["elevation"] == "yes")
    ]
    assert not [" ".join(list(event.values())[:3]) for event in wrong]


def test_a_call_is_refused_where_aws_says_that_its_error_code_does(
    found_by_the_catalogue: set[tuple[str, ...]],
) -> None:
    refused = {found[0] for found in found_by_the_catalogue if "refused" in found[5].split(", ")}
    wrong = [it for it in error_codes() if (f"judged {it['error_code']}" in refused) != (it["is_refusal"] == "yes")]
    assert not [it["error_code"] for it in wrong]


@pytest.fixture(scope="module")
def found_in_all_events(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[set[tuple[Any, ...]]]]:
    """For each requirement, the findings as the project has them, and those of a project that looks at every event."""
    home = tmp_path_factory.mktemp("every-event")
    lay_generated(home / "logs")
    lay_odd(home / "logs")
    for path in (ROOT / "sample_logs").glob(f"AWSLogs/*/CloudTrail/*/{DAY.replace('-', '/')}/*"):
        target = home / "logs" / "AWSLogs" / "o-a1b2c3d4e5" / Path(*path.parts[-7:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    as_it_is, every_event = Checkout.of(home / "as-it-is"), Checkout.of(home / "every-event", copied=True)
    every_event.broken(
        "models/intermediate/int_events_to_look_at.sql", "where\n    is_wanted_without_store\n", "where true\n"
    )
    every_event.broken(
        "models/intermediate/int_events_with_facts.sql",
        "    where\n        is_wanted_without_store\n",
        "    where\n        true\n",
    )
    rows: list[list[tuple[Any, ...]]] = []
    for checkout in (as_it_is, every_event):
        ended = checkout.review(DAY, home / "logs", **NO_TESTS)
        assert ended.code in (0, 3), ended.last_lines
        rows.append(checkout.rows("select * from findings"))
    columns = [name for (name,) in as_it_is.rows("select column_name from (describe findings)")]
    at = columns.index("requirement")
    kept, seen = (
        checkout.rows("select count(*) from int_events_with_facts")[0][0] for checkout in (as_it_is, every_event)
    )
    assert kept < seen, "nothing was left out, so this shows nothing"
    return {name: [{row for row in found if row[at] == name} for found in rows] for name in REQUIREMENTS}


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_no_event_that_the_rule_wants_is_left_out_before_it(
    found_in_all_events: dict[str, list[set[tuple[Any, ...]]]], requirement: str
) -> None:
    as_it_is, of_every_event = found_in_all_events[requirement]
    assert as_it_is == of_every_event
    assert as_it_is, "without a finding this shows nothing"
