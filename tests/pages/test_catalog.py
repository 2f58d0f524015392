"""catalog.html: dbt's own pages in one file, with the rows of the day, that fetches and sends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from pci_log_review.pages.catalog import CATALOG, with_catalog
from pci_log_review.warehouse.dbt import Described

MODEL = "model.pci_log_review.pci_rule"
SEED = "seed.pci_log_review.names"
VIEW = "model.pci_log_review.all_rules"
HOSTILE = '</script><script>alert("run")</script><b>bold</b>'


def node(unique_id: str, materialized: str, **others: Any) -> dict[str, Any]:
    kind, package, name = unique_id.split(".")
    empty: dict[str, Any] = {"columns": {}, "tags": [], "meta": {}, "depends_on": {"nodes": [], "macros": []}}
    return empty | {
        "unique_id": unique_id, "name": name, "resource_type": kind, "package_name": package, "alias": name,
        "config": {"materialized": materialized, "meta": {}}, "description": "", "original_file_path": f"{name}.sql",
        "path": f"{name}.sql", "fqn": [package, name], "raw_code": "select 1", "database": "review", "schema": "main",
        "language": "sql", "access": "protected", "refs": [], "sources": [], **others,
    }  # fmt: skip


NODES = [node(MODEL, "incremental", description=HOSTILE), node(SEED, "seed"), node(VIEW, "view")]


def described() -> Described:
    kinds = ("sources", "exposures", "metrics", "semantic_models", "saved_queries", "unit_tests", "groups", "disabled")
    manifest = {kind: {} for kind in kinds} | {
        "metadata": {"project_name": "pci_log_review", "send_anonymous_usage_stats": True, "user_id": "somebody"},
        "nodes": {node["unique_id"]: node for node in NODES},
        "macros": {
            f"macro.{package}.it": {"package_name": package, "name": "it", "macro_sql": "",
                                    "depends_on": {"macros": []}, "unique_id": f"macro.{package}.it",
                                    "description": "", "arguments": [],
                                    "original_file_path": "macros/it.sql", "resource_type": "macro", "meta": {}}
            for package in ("pci_log_review", "dbt")
        },
        "docs": {"doc.dbt.__overview__": {"name": "__overview__", "package_name": "dbt", "block_contents": "# Hi"}},
        "parent_map": {}, "child_map": {},
    }  # fmt: skip
    columns = {"run_date": {"type": "DATE", "index": 1, "name": "run_date", "comment": None}}
    relations = {
        node["unique_id"]: {
            "metadata": {"type": "BASE TABLE", "schema": "main", "name": node["name"], "database": "review"},
            "columns": columns, "stats": {"row_count": {"value": 99}}, "unique_id": node["unique_id"],
        }
        for node in NODES
    }  # fmt: skip
    return Described(manifest, {"metadata": {}, "nodes": relations, "sources": {}, "errors": None})


def counted(relations: Mapping[str, bool]) -> dict[str, int]:
    assert relations == {"pci_rule": True, "names": False}, "the day's rows of a table of days; of a view none"
    return {"pci_rule": 7, "names": 3}


def inline(page: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The manifest and the catalog in the page, which stand where dbt's own file has places for them."""
    text = page.read_text()
    decoder, begin = json.JSONDecoder(), text.index("{manifest:{") + len("{manifest:")
    manifest, end = decoder.raw_decode(text, begin)
    catalog, _ = decoder.raw_decode(text, end + len(",catalog:"))
    return manifest, catalog


@pytest.fixture
def page(tmp_path: Path) -> Path:
    assert with_catalog(tmp_path, described(), counted) == []
    return tmp_path / CATALOG


def test_rows_are_those_of_the_day_and_a_view_has_none(page: Path) -> None:
    catalog = inline(page)[1]
    rows = {name: relation["stats"].get("row_count", {}).get("value") for name, relation in catalog["nodes"].items()}
    assert rows == {MODEL: 7, SEED: 3, VIEW: None}


def test_text_of_the_project_ends_no_script_and_nothing_is_fetched_or_run(browser: Browser, page: Path) -> None:
    tab = browser.new_page()
    said: list[str] = []
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url))
    tab.goto(f"{page.as_uri()}#!/model/{MODEL}")
    tab.get_by_text("pci_rule").first.wait_for()
    tab.get_by_text("run_date").first.wait_for()
    assert tab.get_by_text("DATE", exact=True).count() > 0
    tab.close()
    # dbt's templates name icons in its own folder before they are filled in; the policy keeps them from being read
    folder = page.parent.as_uri()
    assert [url for url in said if not url.startswith((folder, "data:"))] == []


def test_the_day_s_other_pages_are_linked_and_keep_out_of_what_is_read(browser: Browser, page: Path) -> None:
    tab = browser.new_page(viewport={"width": 1400, "height": 900})
    tab.goto(page.as_uri())
    links = tab.get_by_role("navigation", name="Pages").get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == ["../../index.html", "report.html", "assessor.html"]
    place = links.first.bounding_box()
    assert place is not None
    assert place["y"] > 800, "dbt's own page has nothing at its lower edge"
    links.first.click(trial=True)
    tab.close()


def test_what_dbt_would_send_home_and_its_own_macros_are_left_out(page: Path) -> None:
    manifest = inline(page)[0]
    assert manifest["metadata"]["send_anonymous_usage_stats"] is False
    assert manifest["metadata"]["user_id"] is None
    assert set(manifest["macros"]) == {"macro.pci_log_review.it"}


def test_a_catalogue_that_can_not_be_written_is_a_note_and_no_failure(tmp_path: Path) -> None:
    assert with_catalog(tmp_path, "dbt: ended\nearly", counted) == [
        "catalog.html could not be written (dbt: ended early): the tables have all"
    ]

    def failing(_: Mapping[str, bool]) -> dict[str, int]:
        raise OSError("no room")

    assert with_catalog(tmp_path, described(), failing) == [
        "catalog.html could not be written (no room): the tables have all"
    ]
    assert not (tmp_path / CATALOG).exists()
