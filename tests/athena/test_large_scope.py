"""A scope as large as an organization's: every account and region gets a partition, in statements that Athena takes."""

from __future__ import annotations

from pathlib import Path

from tests.athena.conftest import DAY
from tests.athena.on_athena import OnAthena
from tests.local_athena.athena_api import STATEMENT_LIMIT, QueryRecord
from tests.local_athena.service import LocalAthena

ACCOUNTS, REGIONS = 1_000, 17
PARTITIONS = 2 * ACCOUNTS * REGIONS  # of all calls and, since nothing lists what was delivered, of network activity


def test_partitions_of_a_thousand_accounts_are_added_under_the_limit_and_a_second_run_adds_nothing(
    local_athena: LocalAthena, tmp_path: Path
) -> None:
    on_athena = OnAthena.new(local_athena, tmp_path / "large-scope", copied=True)
    seeds = on_athena.checkout.project / "seeds"
    regions = (seeds / "catalogue" / "aws_regions.csv").read_text().splitlines()[: REGIONS + 1]
    (seeds / "catalogue" / "aws_regions.csv").write_text("\n".join(regions) + "\n")
    scope = [f"{number:012},,*,true,may be quiet" for number in range(1, ACCOUNTS + 1)]
    header = "account_id,account_name,region,in_cde,logs_expected"
    (seeds / "settings" / "trail_scope.csv").write_text("\n".join([header, *scope]) + "\n")
    seeded = on_athena.dbt("seed", "--select", "trail_scope", "aws_regions")
    assert seeded.code == 0, seeded.last_lines
    for _ in range(2):
        before = len(on_athena.queries())
        ended = on_athena.dbt("run-operation", "add_partitions", "--vars", f"{{run_date: {DAY}}}")
        assert ended.code == 0, ended.last_lines
        added = [query for query in on_athena.queries()[before:] if is_of_logs(query)]
        assert {query.state for query in added} == {"SUCCEEDED"}
        assert sum(query.statement.count("partition (") for query in added) == PARTITIONS
        assert max(len(query.statement.encode()) for query in added) < STATEMENT_LIMIT
        shown = local_athena.run("show partitions cloudtrail_logs", on_athena.place)
        assert len(set(shown.rows)) == len(shown.rows) == PARTITIONS


def is_of_logs(query: QueryRecord) -> bool:
    return "add if not exists" in query.statement and "cloudtrail_logs" in query.statement
