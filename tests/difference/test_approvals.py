"""approved_changes.csv, and what is shown of a difference: nobody's log text is markup there."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pci_log_review.common.errors import UsageError
from pci_log_review.difference.approvals import COLUMNS, FILE, new_approvals
from pci_log_review.difference.build import Logs
from pci_log_review.difference.compare import Asked, Difference, DiffExit, Example, Group, counts
from pci_log_review.difference.written import markdown

HEADER = ",".join(COLUMNS) + "\n"
LINE = "10.2.1.5,iam.amazonaws.com/CreateUser,vanished,No user may be created any more,ada@example.com,2026-03-11\n"


def written(home: Path, text: str) -> Path:
    (home / FILE).parent.mkdir(parents=True)
    (home / FILE).write_text(text)
    return home


def test_a_line_approves_in_the_change_that_adds_it_and_never_again(tmp_path: Path) -> None:
    base, head = written(tmp_path / "base", HEADER + LINE), written(tmp_path / "head", HEADER + LINE)
    assert new_approvals(base, head) == []
    [approval] = new_approvals(tmp_path / "nothing", head)
    assert (approval.requirement, approval.event, approval.line) == ("10.2.1.5", "iam.amazonaws.com/CreateUser", 2)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("ada@example.com", "", "line 2: approved_by is empty"),
        ("No user may be created any more", " ", "line 2: reason is empty"),
        ("2026-03-11", "2999-01-01", "line 2: approved_on: 2999-01-01 is yet to come"),
        ("2026-03-11", "yesterday", "line 2: approved_on: 'yesterday' is not a date"),
        ("vanished", "changed", "line 2: change: 'changed' is not one of: vanished, became expected"),
        (",2026-03-11", "", "line 2: has 5 cells, but the header has 6"),
        ("requirement,event", "event,requirement", "line 1: write this header: requirement,event,change"),
    ],
)
def test_a_line_that_says_too_little_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(UsageError, match=FILE) as refused:
        new_approvals(tmp_path, written(tmp_path / "head", (HEADER + LINE).replace(old, new)))
    assert told in str(refused.value)


def difference(groups: list[Group], asked: list[Asked]) -> Difference:
    logs = Logs("logs", date(2026, 3, 10), date(2026, 3, 10))
    return Difference("main", "0" * 40, logs, {"10.2.1.5": 7, "findings": 7}, ["findings"], groups, [], [], asked, [])


def test_the_exit_code_is_that_of_the_worst() -> None:
    group = Group("10.2.1.5", "appeared", 1, [])
    approved = Asked("10.2.1.5", "a/b", "vanished", 1, False, "line 2")
    assert difference([], []).exit == DiffExit.NOTHING
    assert difference([group], []).exit == difference([], [approved]).exit == DiffExit.CHANGED
    assert difference([], [approved, Asked("10.2.1.5", "a/c", "vanished", 1, False, None)]).exit == DiffExit.UNAPPROVED
    assert difference([], [Asked("10.2.1.6", "a/b", "vanished", 1, True, "line 2")]).exit == DiffExit.UNAPPROVED


def test_findings_count_what_the_models_count() -> None:
    found = counts(difference([Group("10.2.1.5", "appeared", 3, [])], []))
    assert found["findings"] == found["10.2.1.5"]
    assert found["findings"]["appeared"] == 3


def test_what_a_log_says_is_no_markup_in_a_comment_and_the_comment_is_not_too_long() -> None:
    text = "<img src=x> @everyone [a](http://x) | ``` \x1b[31m\n# big" * 30
    rows = [Example("2026-03-10", text, "id", text, text, "", "", "")] * 5
    asked = [Asked("10.2.1.5", f"{text}{number}", "vanished", 1, False, None) for number in range(50)]
    shown = markdown(difference([Group("10.2.1.5", "vanished", 900, rows)] * 90, asked))
    assert len(shown) <= 65_536
    assert "diff.json and rows.csv" in shown
    assert shown.count("```") == 2
    outside = shown.split("```")[2]
    assert not {"<img", "@everyone", "](http", "\x1b"} & {
        part for part in ("<img", "@everyone", "](http", "\x1b") if part in outside
    }
    assert "… and 895 more" in shown
    assert shown.index("NOT APPROVED") < shown.index("#### Vanished")
