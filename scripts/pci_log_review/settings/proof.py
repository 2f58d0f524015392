"""What has to be proven of a day: the digests that digest_trails.csv expects, in the accounts and regions in scope."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from ..cloudtrail.expected import ExpectedTrail
from .rows import Row, read_rows

Scope = Iterable[tuple[str, str]]  # of account id and region


def expected_trails(settings: Path, scope: Scope, run_date: date) -> tuple[ExpectedTrail, ...]:
    """The trails whose digests are expected on the day, one for each account and region.

    `*` stands for every account or region in scope; what a line names is expected in scope or not. A line without a
    trail says that no digests are expected: it wins over lines that name more with a `*`, and never over one that names
    the same. The settings have been checked.
    """
    path = settings / "digest_trails.csv"
    # settings that say nothing of digests expect none, and each day says what that means
    lines = [row for row in read_rows(path) if row["since"] <= run_date.isoformat()] if path.exists() else []
    exempt = [row for row in lines if not row["trail"]]
    return tuple(
        sorted(
            {
                ExpectedTrail(row["trail"], row["home_region"], *pair, date.fromisoformat(row["since"]))
                for row in lines
                if row["trail"]
                for pair in {*scope, (row["account_id"], row["region"])}
                if "*" not in pair and _covers(row, *pair)
                if not any(_covers(line, *pair) and _is_narrower(line, row) for line in exempt)
            }
        )
    )


def not_proven(scope: Scope, expected: Iterable[ExpectedTrail]) -> str:
    """The sentence that says what the day's digests can't prove, and how to prove it; empty where all is expected."""
    pairs = frozenset(scope)
    without = pairs - {(trail.account_id, trail.region) for trail in expected}
    if not without:
        return ""
    where = "" if without == pairs else f" in {len(without)} of {len(pairs)} accounts x regions in scope"
    return (
        f"Not proven{where}: that no log file was changed, removed or withheld; to prove it, switch on log file "
        "validation of the trail (aws cloudtrail update-trail --enable-log-file-validation) and name the trail in "
        "digest_trails.csv."
    )


def _covers(line: Row, account_id: str, region: str) -> bool:
    return line["account_id"] in ("*", account_id) and line["region"] in ("*", region)


def _is_narrower(line: Row, other: Row) -> bool:
    """Whether a line names less than another that covers the same, and nothing that the other does not."""
    same = ("account_id", "region")
    return any(line[name] != other[name] for name in same) and all(other[name] in ("*", line[name]) for name in same)
