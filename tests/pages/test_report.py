"""A day's page has what is sealed, finding by finding; the verdict comes first, and hostile text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pci_log_review.evidence.manifest import Conclusion, State
from pci_log_review.pages.days import with_pages
from pci_log_review.pages.folding import Row
from pci_log_review.pages.packed import unpack
from pci_log_review.pages.report import Material, report

from .findings import finding
from .material import APPROVAL, DAY, REVIEWED, material

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u202e\u200b'\"&"


def text_of(page: bytes) -> str:
    """What a browser without scripts shows."""

    class Text(HTMLParser):
        shown = ""
        hidden = 0

        def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
            self.hidden += tag in ("script", "style")

        def handle_endtag(self, tag: str) -> None:
            self.hidden -= tag in ("script", "style")

        def handle_data(self, data: str) -> None:
            if not self.hidden:
                self.shown += data

    text = Text()
    text.feed(page.decode())
    return " ".join(text.shown.split())


def packed(page: bytes) -> tuple[list[dict[str, object]], list[Row]]:
    data = re.search(r'id="data">([^<]*)<', page.decode())
    assert data
    return unpack(data[1])


def test_each_finding_of_the_tables_is_in_the_page_once_and_nothing_else() -> None:
    event = finding(flags="administrator", title="Administrator acted")
    rows = {
        "10.2.1.2": [event],
        "10.2.1.5": [{**event, "flags": "elevation", "title": "Attach a policy"}, *(finding() for _ in range(60))],
        "10.2.1.1": [finding(is_expected="true", resource=f"arn:aws:s3:::bucket/{n}") for n in range(20)],
    }
    lines, found = packed(report(material(rows)))
    told = sorted((str(lines[int(row["line"])]["r"]), row["event_id"]) for row in found)
    others = [(str(also[0]), row["event_id"]) for row in found for also in row["also"]]
    assert len(told) == 81
    sealed = sorted((name, row["event_id"]) for name, of_name in rows.items() for row in of_name)
    with_others = sorted([*told, *(("10.2.1.2", event_id) for _, event_id in others)])
    assert with_others == sealed
    for row in found:
        [of_table] = [it for it in rows["10.2.1.5"] + rows["10.2.1.1"] if it["event_id"] == row["event_id"]]
        assert all(row[name] == of_table[name] for name in row.keys() & of_table.keys())


def test_of_what_is_expected_only_what_repeats_is_left_out_and_it_is_counted() -> None:
    rows = [finding(is_expected="true", expected_line=APPROVAL["line_id"]) for _ in range(500)]
    page = report(material({"10.2.1.1": rows}))
    lines, found = packed(page)
    assert (lines[0]["c"], len(found)) == (500, 20)
    assert "20 of 500 events with findings are in this page" in text_of(page)


def test_without_its_script_the_page_says_the_verdict_and_every_unexpected_group() -> None:
    gap = "444455556666 eu-west-1: no logs, though trail_scope expects them daily"
    rows = {
        "10.2.1.5": [finding(title="Create a user", resource="backup-admin")],
        "10.2.1.7": [finding(is_expected="true", expected_line=APPROVAL["line_id"], title="Create a function")],
    }
    text = text_of(report(material(rows, [gap])))
    for told in (
        "The review is INCOMPLETE.",
        gap,
        "1 finding of 1 event needs a person's judgement. 1 was approved beforehand.",
        "user reporting created a user on backup-admin",
        "Releases, after an approved pull request (lead@example.com, 2026-01-12; expires 2026-12-31)",
        "Integrity proven: 19 of 19 log files",
    ):
        assert told in text
    assert text.index("INCOMPLETE") < text.index("user reporting created")


def test_no_logs_never_reads_as_no_findings() -> None:
    made = material({"10.2.1.5": []}, ["trail_scope is empty"])
    without = [{**row, "result": "no logs"} for row in made.rows("daily_review.csv")]

    def rows(name: str):  # type: ignore[no-untyped-def]
        return iter(without) if name == "daily_review.csv" else made.rows(name)

    text = text_of(report(Material(made.conclusion, rows, REVIEWED)))
    assert "No logs were read, so nothing could be found." in text
    assert "No finding needs" not in text


def test_a_failed_day_has_a_page_that_says_why() -> None:
    def none(name: str):  # type: ignore[no-untyped-def]
        raise AssertionError(f"{name} does not exist")

    text = text_of(report(Material(Conclusion(DAY, State.FAILED, ["dbt: no space left"], "", {}, {}), none, REVIEWED)))
    assert "The review FAILED." in text
    assert "dbt: no space left" in text
    assert "No finding" not in text


def test_hostile_text_stays_text_and_shows_what_would_hide() -> None:
    names = ("principal_name", "resource", "source_ip", "event_name", "title", "flags", "error_code", "event_id")
    hostile = finding(**dict.fromkeys([*names, "request_parameters", "log_file", "outcome"], HOSTILE))
    page = report(material({"10.2.1.5": [hostile]}, [HOSTILE])).decode()
    assert page.count("<script") == 2
    assert "<img" not in page
    assert not set(page) & set("\u202e\u200b")
    assert "&lt;U+202E&gt;&lt;U+200B&gt;" in page
    _, [row] = packed(page.encode())
    assert "<U+202E><U+200B>" in row["request_parameters"]


def test_a_usual_day_and_an_unusual_one_are_told_apart() -> None:
    trend = {DAY - timedelta(n): {"10.2.1.4": (3, 3), "10.2.1.5": (2, 2)} for n in range(1, 20)}
    rows = {"10.2.1.4": [finding() for _ in range(4)], "10.2.1.5": [finding() for _ in range(40)]}
    text = text_of(report(material(rows, trend=trend)))
    assert "40 unusual" in text
    assert text.count("unusual") == 1


def test_a_page_never_tells_another_number_than_the_conclusion() -> None:
    made = material({"10.2.1.5": [finding(), finding()]})
    fewer = Material(replace(made.conclusion, findings={"10.2.1.5": 3}), made.rows, REVIEWED)
    with pytest.raises(ValueError, match=r"10\.2\.1\.5 has 2 findings in its table and 3 in the conclusion"):
        report(fewer)


def test_a_page_that_cannot_be_written_costs_a_note_and_not_the_day(tmp_path: Path) -> None:
    conclusion = Conclusion(DAY, State.COMPLETE, [], "", {}, {})
    noted = with_pages(tmp_path, conclusion, REVIEWED, dict)
    [note] = noted.notes
    assert note.startswith("report.html could not be written (FileNotFoundError")
    assert noted.state is State.COMPLETE
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("forbidden", ["http://", "https://", "url(", "innerHTML", "@import", " style="])
def test_the_page_names_no_other_place_and_writes_no_markup(forbidden: str) -> None:
    assert forbidden not in report(material({"10.2.1.5": [finding()]})).decode()


def test_the_verdict_says_when_the_run_was_and_what_it_could_not_prove() -> None:
    made = material({"10.2.1.5": []})
    unproven = replace(made.conclusion, not_proven="Not proven in 66 of 72 accounts x regions: that x; to prove it, y")
    late = replace(made, conclusion=unproven, reviewed=datetime(2026, 11, 27, 4, 6, tzinfo=UTC))
    text = text_of(report(late))
    verdict = text[: text.index("Requirement by requirement")]
    assert "This run began on 2026-11-27 at 04:06 UTC, 262 days after the day." in verdict
    assert "Not proven in 66 of 72 accounts x regions: that x. Integrity proven: 19 of 19" in verdict
    assert "the day after" in text_of(report(made))
    assert "262 days" not in text_of(report(made))


def test_every_kind_of_what_root_did_or_tried_and_of_changes_to_audit_logs_is_to_be_looked_at_first() -> None:
    rows = {
        "10.2.1.2": [finding(principal_kind="root", flags="root", event_name=f"Put{c}", title="") for c in "abcdef"],
        "10.2.1.4": [finding(principal_kind="root", event_name="ConsoleLogin", outcome="failure", title="")],
        "10.2.1.5": [finding(resource=f"name-{c}{d}") for c in "abcdefgh" for d in "abcdefgh"],
        "10.2.1.6": [
            finding(title="Change a log bucket's lifecycle", resource=f"b-{c}{d}")
            for c in "abcdefgh"
            for d in "abcdefgh"
        ],
    }
    page = report(material(rows)).decode()
    first = page[page.index('id="first"') : page.index('id="requirements"')]
    assert first.count("root put") == 6
    assert first.count("root tried to sign in") == 1
    assert first.count("lifecycle on b-") == 64
    assert re.search('and more kinds: credentials changed: 39 under <a href="#r-10.2.1.5">', first)
    links = re.findall('href="#(line-[0-9a-f]+)"', first)
    assert all(page.count(f'id="{link}"') == 1 for link in links)


def test_a_page_leads_only_to_files_that_lie_beside_it(tmp_path: Path) -> None:
    made = material({"10.2.1.5": [finding()]})
    assert "findings/10.2.1.5.csv" in report(made).decode()
    assert 'href="' not in re.sub('href="(#|data:)', "", report(made).decode())
    (tmp_path / "findings").mkdir()
    for name in ("run.json", "catalog.html", "daily_review.csv", "findings/10.2.1.5.csv"):
        (tmp_path / name).write_text("")
    files = frozenset(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    links = set(re.findall('href="([^#"]+)"', report(replace(made, files=files)).decode())) - {"data:,"}
    assert links == {*files, "../../index.html", "../"}


def test_an_expected_finding_has_its_approval_and_an_expired_line_is_named() -> None:
    rows = {"10.2.1.7": [finding(is_expected="true", expected_line=APPROVAL["line_id"])]}
    [line], _ = packed(report(material(rows)))
    assert line["ap"] == "Releases, after an approved pull request (lead@example.com, 2026-01-12; expires 2026-12-31)"
    names = ("principal_kind", "principal_name", "event_name", "event_source", "resource")
    gone = {**APPROVAL, **dict.fromkeys(names, "x"), "status": "expired"}
    made = material(rows)
    expired = replace(made, rows=lambda name: iter([gone]) if name == "expected_lines.csv" else made.rows(name))
    assert "Expired on 2026-12-31: x x, x of x on x (Releases" in text_of(report(expired))
    assert "Expired on" not in text_of(report(made))


def test_why_fewer_expected_findings_are_listed_than_counted_is_said_in_place() -> None:
    refused = finding(outcome="denied")
    expected = finding(is_expected="true", expected_line=APPROVAL["line_id"])
    page = report(material({"10.2.1.1": [{**refused, "is_expected": "true"}, expected], "10.2.1.4": [refused]}))
    assert "Of the 2 expected, 1 is read under 10.2.1.4:" in text_of(page)
    _, found = packed(page)
    assert [row["also"][0][3] for row in found if row["also"]] == ["expected there"]
