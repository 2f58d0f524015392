"""What is new of an actor ranks first among what is as grave, and hides nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from pci_log_review.pages.grouping import group
from pci_log_review.pages.novelty import read_seen
from pci_log_review.warehouse.results import open_results

from .findings import finding


def seen_row(what: str, value: str, since: str = "2026-03-01", name: str = "reporting") -> dict[str, str]:
    return {
        "principal_kind": "user",
        "principal_account_id": "111122223333",
        "principal_name": name,
        "what": what,
        "value": value,
        "since": since,
    }


BEFORE = [
    seen_row("days", "19"),
    seen_row("event", "iam.amazonaws.com CreateUser"),
    seen_row("origin", "198.51.100.7"),
    seen_row("region", "us-east-1"),
]


def new_of(**fields: str) -> tuple[str, ...]:
    [line] = group({"10.2.1.5": [finding(**fields)]}, read_seen(BEFORE)).lines()
    return line.new


def test_a_new_event_origin_region_or_actor_is_told_with_the_days_that_it_is_measured_by() -> None:
    assert new_of() == ()
    assert new_of(event_name="CreateRole") == ("the call",)
    assert new_of(source_ip="203.0.113.9") == ("origin 203.0.113.9",)
    assert new_of(aws_region="eu-west-1") == ("region eu-west-1",)
    assert new_of(principal_name="other") == ("the actor",)
    assert "of the 19 days" in read_seen(BEFORE).told
    assert new_of(principal_account_id="444455556666") == new_of(principal_name="other")


def test_nothing_is_new_where_no_day_was_reviewed_before() -> None:
    for before in (None, read_seen([]), read_seen([seen_row("days", "0")])):
        assert [line.new for line in group({"10.2.1.5": [finding()]}, before).lines()] == [()]


def test_what_is_new_ranks_first_among_what_is_as_grave_and_nothing_is_left_out() -> None:
    rows = [
        finding(title="Delete a user", event_time="2026-03-10T01:00:00Z"),
        finding(title="Create a role", event_name="CreateRole", event_time="2026-03-10T02:00:00Z"),
        finding(title="Attach a policy", flags="elevation", event_time="2026-03-10T03:00:00Z"),
    ]
    lines = group({"10.2.1.5": rows}, read_seen(BEFORE)).lines()
    assert [line.text.removeprefix("user reporting ") for line in lines] == [
        "attached a policy",
        "created a role",
        "deleted a user",
    ]
    assert lines[2].since == "2026-03-01"


def test_the_days_before_are_asked_in_one_query(tmp_path: Path) -> None:
    path = tmp_path / "review.duckdb"
    actor = ["principal_kind", "principal_account_id", "principal_name"]
    names = [*actor, "event_source", "event_name", "source_ip", "aws_region"]
    rows = [
        ("2026-03-01", "user", "1", "a", "iam", "CreateUser", "192.0.2.1", "us-east-1"),
        ("2026-03-05", "user", "1", "a", "iam", "CreateUser", "192.0.2.2", None),
        ("2026-03-05", "user", "1", "b", "iam", "DeleteUser", "192.0.2.3", "us-east-1"),
        ("2025-11-01", "user", "1", "a", "iam", "TooLongAgo", "192.0.2.4", "us-east-1"),
        ("2026-03-10", "user", "1", "a", "iam", "Today", "192.0.2.5", "us-east-1"),
        ("2026-03-10", None, "", None, "iam", "Today", "192.0.2.5", "us-east-1"),
    ]
    with duckdb.connect(path) as connection:
        connection.execute(f"create table findings (run_date date, {', '.join(f'{name} varchar' for name in names)})")
        connection.executemany(f"insert into findings values ({', '.join('?' * 8)})", rows)
        connection.execute(
            "create table daily_review as select date '2026-03-01' + i::int as run_date from range(12) t(i)"
        )
    with open_results(None, path, date(2026, 3, 10)) as results:  # type: ignore[arg-type]  # no session is needed
        table: pa.Table = results.seen_before()
    found = {(row["principal_name"], row["what"], row["value"], row["since"]) for row in table.to_pylist()}
    assert found == {
        ("", "days", "9", "2026-03-01"),
        ("a", "event", "iam CreateUser", "2026-03-01"),
        ("a", "origin", "192.0.2.1", "2026-03-01"),
        ("a", "origin", "192.0.2.2", "2026-03-05"),
        ("a", "region", "us-east-1", "2026-03-01"),
        ("a", "region", "", "2026-03-05"),
    }
