"""The terminal tells the grave first, whatever repeats."""

from __future__ import annotations

import pytest

from pci_log_review.common.errors import UsageError
from pci_log_review.console.findings import for_messages, print_event, print_findings
from pci_log_review.pages.folding import Row
from pci_log_review.pages.grouping import group

from .findings import finding


def shown(findings: dict[str, list[Row]]) -> list[str]:
    told: list[str] = []
    print_findings(group(findings), "evidence/day", told.append)
    return told


def test_every_unexpected_line_is_shown_with_an_event_id_however_much_repeats() -> None:
    repeated = [
        finding(event_name="GetPasswordData", title="", outcome="denied", resource=f"i-{n:017x}") for n in range(5_000)
    ]
    attack = [finding(title=title) for title in ("Create a user", "Attach a policy to a user", "Create an access key")]
    told = shown({"10.2.1.4": repeated, "10.2.1.5": attack})
    assert len(told) < 10
    for row in attack:
        assert any(str(row["event_id"]) in line for line in told[:4])
    assert any("5000 x user reporting tried to get password data on i-…" in line for line in told)


def test_a_message_names_the_gravest_first_and_counts_what_is_not_in_it() -> None:
    repeated = [
        finding(event_name="GetPasswordData", title="", outcome="denied", principal_name=f"u{n}") for n in range(30)
    ]
    row = finding(principal_name="root", principal_kind="root", title="Create an access key")
    expected = finding(is_expected="true", title="Delete the trail")
    told = for_messages(group({"10.2.1.4": repeated, "10.2.1.6": [expected], "10.2.1.2": [row]}))
    assert len(told) == 21
    assert told[0].startswith("10.2.1.2: 1 x root")
    assert told[-1] == "… and 11 more findings"
    assert not any("trail" in line for line in told)


def test_a_field_of_a_megabyte_neither_fills_the_terminal_nor_takes_the_event_id() -> None:
    row = finding(resource="x" * 1_000_000)
    [_, line, *_] = shown({"10.2.1.5": [row]})
    assert len(line) < 2_000
    assert str(row["event_id"]) in line


def test_no_control_character_reaches_the_terminal() -> None:
    row = finding(principal_name="\x1b[31m\u202e", resource="\r\n")
    told = shown({"10.2.1.5": [row]})
    print_event({"10.2.1.5": [row]}, str(row["event_id"]), told.append)
    assert not set("".join(told)) & set("\x1b\u202e\r\n")


def test_an_event_is_shown_as_it_is_sealed_or_said_to_be_none() -> None:
    told: list[str] = []
    row = finding(request_parameters='{"userName":"x"}')
    print_event({"10.2.1.5": [finding(), row]}, str(row["event_id"]), told.append)
    assert '    "userName": "x"' in "\n".join(told)
    with pytest.raises(UsageError, match="no finding of an event 'nothing'"):
        print_event({"10.2.1.5": [row]}, "nothing", told.append)
