"""The pages in a browser: nothing is fetched, nothing hostile runs, and what a reviewer presses does what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect
from tests.evidence.sealed_days import day, seal, sign

from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.open import open_evidence
from pci_log_review.pages.assessor import assessor
from pci_log_review.pages.days import write_index
from pci_log_review.pages.folding import Row
from pci_log_review.pages.report import report

from .findings import finding
from .material import APPROVAL, REVIEWED, material
from .test_report import HOSTILE

ATTACK: list[Row] = [
    finding(title="Attach a policy to a user", flags="elevation", principal_name="deploy-legacy", event_id="attack-1"),
    finding(title="Create a user", resource="backup-admin", request_parameters='{"userName":"backup-admin"}'),
]
ROWS: dict[str, list[Row]] = {
    "10.2.1.4": [finding(event_name="GetPasswordData", title="", outcome="denied") for _ in range(120)],
    "10.2.1.5": [
        *ATTACK,
        finding(**dict.fromkeys(["resource", "source_ip", "user_agent", "request_parameters"], HOSTILE)),
    ],
    "10.2.1.7": [finding(is_expected="true", expected_line=APPROVAL["line_id"]) for _ in range(30)],
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_bytes(report(material(ROWS)))
    return path


@pytest.fixture(scope="module")
def procedures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assessor")
    (folder / "log_files.csv").write_text("log_file\r\n")
    (folder / "assessor.html").write_bytes(assessor(material(ROWS).conclusion, REVIEWED, folder))
    return folder / "assessor.html"


@pytest.fixture(scope="module")
def calendar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evidence")
    store = open_evidence(str(folder))
    for number, state in enumerate((State.COMPLETE, State.INCOMPLETE, State.FAILED, State.COMPLETE), 1):
        seal(store, day(number), state, {} if state is State.FAILED else {"10.2.1.4": number})
    sign(store, day(1), "all=expected: as every day", reviewer="<b>A. Person</b>")
    write_index(store, day(9))
    return folder / "index.html"


@pytest.fixture
def page(browser: Browser, path: Path) -> Iterator[Page]:
    """The page, opened from the disk; at the end it has asked for nothing and complained of nothing."""
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.on("pageerror", lambda error: asked.append(str(error)))
    page.on("dialog", lambda dialog: asked.append(dialog.message))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    page.close()
    assert [url for url in asked if not url.startswith((path.as_uri(), "data:"))] == []


def test_search_and_filters_find_the_finding_and_escape_goes_back(page: Page) -> None:
    results = page.locator("#results")
    page.keyboard.press("/")
    page.keyboard.type("backup-admin")
    expect(results.locator("h2")).to_contain_text("1 event matches.")
    expect(results.locator("pre")).to_contain_text('"userName": "backup-admin"')
    page.keyboard.press("Escape")
    expect(results).to_be_hidden()
    expect(page.locator("#groups")).to_be_visible()
    for name, value, count in (("r", "10.2.1.4", 120), ("a", "user deploy-legacy", 1), ("o", "denied", 120)):
        page.select_option(f"#by-{name}", value)
        expect(results.locator("h2")).to_contain_text(f"{count} event")
        page.select_option(f"#by-{name}", "")
    page.select_option("#by-x", "expected")
    expect(results.locator("h2")).to_contain_text("20 events match. 10 more")


def test_search_finds_approvers_and_requirements_and_no_log_file_and_a_click_after_typing_opens(page: Page) -> None:
    heading = page.locator("#results h2")
    page.fill("#search", "CloudTrail")
    expect(heading).to_contain_text(re.compile(r"^0 events match\."))
    page.fill("#search", "10.2.1.7")
    expect(heading).to_contain_text("20 events match.")
    page.fill("#search", "CloudTrail")
    expect(heading).to_contain_text(
        re.compile(r"^0 events match\.")
    )  # as many match next as before, so their number would not tell
    page.fill("#search", "lead@example.com")
    expect(heading).to_contain_text("20 events match.")
    page.locator("#results button.row").first.click()
    expect(page.locator("#results dl")).to_contain_text("lead@example.com, 2026-01-12; expires 2026-12-31")


@pytest.mark.parametrize("width", [1000, 1280, 1600])
def test_what_a_link_leads_to_is_not_under_the_bar(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 600})
    page.locator('#requirements + div a[href="#r-10.2.1.5"]').click()
    page.wait_for_function(
        "() => { const top = document.getElementById('r-10.2.1.5').getBoundingClientRect().top;"
        "return top < 300 && top >= document.getElementById('tools').getBoundingClientRect().bottom; }"
    )


def test_rows_come_a_page_at_a_time_and_the_keyboard_opens_one(page: Page) -> None:
    page.select_option("#by-r", "10.2.1.4")
    rows = page.locator("#results tbody > tr")
    expect(rows).to_have_count(50)
    page.get_by_role("button", name="Show 50 more of 70").press("Enter")
    expect(rows).to_have_count(100)
    rows.nth(3).locator("button").press("Enter")
    expect(rows.nth(3).locator("dl")).to_contain_text("GetPasswordData")
    rows.nth(3).locator("button").press("Enter")
    expect(rows.nth(3).locator("dl")).to_have_count(0)


def test_a_link_to_a_finding_and_to_a_group_opens_it(page: Page, path: Path) -> None:
    page.goto(f"{path.as_uri()}#event-attack-1")
    expect(page.locator("#results dl")).to_contain_text("attack-1")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="user deploy-legacy attached a policy").click()
    expect(page.locator("details.line[open] .findings dl")).to_contain_text("attack-1")


def test_hostile_text_is_shown_as_text(page: Page) -> None:
    page.fill("#search", "onerror")
    expect(page.locator("#results dl")).to_contain_text("<img src=x onerror=alert(1)><U+202E><U+200B>")
    assert page.locator("img").count() == 0


def test_without_scripts_the_groups_are_read(browser: Browser, path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    expect(page.locator("#groups").get_by_text("user reporting created a user on backup-admin")).to_be_visible()
    expect(page.locator("#tools")).to_be_hidden()
    context.close()


def test_the_calendar_leads_to_each_day_and_says_who_signed(browser: Browser, calendar: Path) -> None:
    page = browser.new_page()
    page.goto(calendar.as_uri())
    expect(page.locator("td.complete")).to_have_count(2)
    expect(page.locator("td.missing")).to_have_count(5)
    expect(page.get_by_text("<b>A. Person</b>")).to_be_visible()
    expect(page.get_by_text("2026-03-05 to 2026-03-09 (5 days)")).to_be_visible()
    for link in page.locator("td a").all():
        assert (calendar.parent / str(link.get_attribute("href"))).exists()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("which", ["path", "calendar", "procedures"])
def test_nobody_is_shut_out(
    browser: Browser, request: pytest.FixtureRequest, which: str, width: int, scheme: str
) -> None:
    # axe-core is put into the page, which its policy would forbid
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        bypass_csp=True,
    )
    page = context.new_page()
    page.goto(request.getfixturevalue(which).as_uri())
    if which == "path":
        page.wait_for_selector("html[data-ready]")
        page.locator("details.line summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(page)
    grave = [it for it in found.response["violations"] if it["impact"] in ("serious", "critical")]
    assert [(it["id"], [node["html"] for node in it["nodes"]][:3]) for it in grave] == []
    context.close()
