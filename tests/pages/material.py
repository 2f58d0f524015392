"""What a page is made of, made up: a day's conclusion and tables, as its evidence has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime

from pci_log_review.evidence.manifest import Conclusion, State
from pci_log_review.pages.folding import Row
from pci_log_review.pages.report import Material

DAY = date(2026, 3, 10)
REVIEWED = datetime(2026, 3, 11, 4, 6, 43, tzinfo=UTC)
APPROVAL = {
    "line_id": "0123456789ab",
    "reason": "Releases, after an approved pull request",
    "approved_by": "lead@example.com",
    "approved_on": "2026-01-12",
    "expires_on": "2026-12-31",
}


def material(findings: dict[str, list[Row]], gaps: Iterable[str] = (), **other: object) -> Material:
    """The day with these findings of each requirement."""
    unexpected = {name: sum(row["is_expected"] != "true" for row in rows) for name, rows in findings.items()}
    counted = {name: len(rows) for name, rows in findings.items()}
    state = State.INCOMPLETE if list(gaps) else State.COMPLETE
    conclusion = Conclusion(DAY, state, list(gaps), "integrity proven: 19 of 19 log files", counted, unexpected)
    review: list[Row] = [
        {
            "requirement": name,
            "asks": f"What {name} asks for",
            "result": "findings" if rows else "no findings",
            "findings": str(len(rows)),
            "unexpected_findings": str(unexpected[name]),
            "expected_findings": str(len(rows) - unexpected[name]),
            "pci_dss_v4_0_1": name,
            "pci_dss_v3_2_1": name,
            "settings_gap": "",
            "regions_with_logs": "1",
            "regions_in_scope": "2",
            "log_files": "19",
            "events": "248",
        }
        for name, rows in findings.items()
    ]
    coverage: list[Row] = [
        {
            "account_id": "111122223333",
            "account_name": "production",
            "region": region,
            "status": status,
            "log_files": "19",
            "events": "248",
            "gap": "",
        }
        for region, status in (("us-east-1", "logs"), ("eu-west-1", "quiet, may be"))
    ]
    tables: dict[str, list[Row]] = {
        "daily_review.csv": review,
        "log_coverage.csv": coverage,
        "expected_lines.csv": [APPROVAL],
    }

    def rows_of(name: str) -> Iterator[Row]:
        if name == "seen_before.csv":
            return
        yield from tables.get(name) or findings[name.removeprefix("findings/").removesuffix(".csv")]

    return Material(conclusion, rows_of, **{"reviewed": REVIEWED} | other)  # type: ignore[arg-type]
