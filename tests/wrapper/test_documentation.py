"""What the pages of the documentation name is there: links, commands, options, variables, exit codes, models."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from tests.checkout import ROOT

from pci_log_review.cli import main
from pci_log_review.review.day import Exit

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BY_NAME = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
OF_AWS = {"--no-execute-changeset"}  # what a page names of the AWS CLI's


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        for child in token.children or ():
            if target := child.attrs.get("href") or child.attrs.get("src"):
                yield str(target)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    found: list[str] = []
    for heading, inline in zip(tokens(page), tokens(page)[1:], strict=False):
        if heading.type == "heading_open":
            text = "".join(child.content for child in inline.children or ())
            anchor = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.append(f"{anchor}-{found.count(anchor)}" if anchor in found else anchor)
    return set(found)


def broken_links(page: Path, root: Path = ROOT) -> list[str]:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if re.match(r"https?:", path):
            continue
        if not target.is_relative_to(root) or not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


def code(page: Path, language: str) -> str:
    return "\n".join(token.content for token in tokens(page) if token.type == "fence" and token.info == language)


def tables(page: Path) -> list[list[str]]:
    """The cells of every line of the page's tables, without the marks of code."""
    lines = page.read_text(encoding="utf-8").splitlines()
    return [[cell.strip().strip("`") for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")]


def commands(page: Path) -> Iterator[list[str]]:
    """The words of each command line of the wrapper on the page."""
    for line in code(page, "console").replace("\\\n", " ").splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True) if "pci-log-review " in line else []
        for number, word in enumerate(words):
            is_program = number == 0 or words[number - 1] in ("&&", "|")
            if is_program and (word == "pci-log-review" or word.endswith("bin/pci-log-review")):
                yield words[number + 1 :]


@BY_NAME
def test_every_link_and_anchor_leads_somewhere(page: Path) -> None:
    assert broken_links(page) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    broken = ["#no-such-heading", "other.md#no-such-heading", "no-such-page.md", "../elsewhere.md", "no.png"]
    whole = ["#here-it-is", "other.md#here-it-is-1", "other.md", "https://example.com/x"]
    (tmp_path / "page.md").write_text("\n\n".join(f"![a]({link})" for link in [*broken, *whole]) + "\n\n# Here, it is")
    (tmp_path / "other.md").write_text("# Here it is\n\n## `Here` it is\n")
    assert broken_links(tmp_path / "page.md", tmp_path) == broken


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 700


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {(ROOT / link.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert set(PAGES) - {ROOT / "README.md"} <= reached


@BY_NAME
def test_every_command_and_option_is_one(page: Path) -> None:
    for command, *arguments in commands(page):
        found = main.commands.get(command)
        assert found, command
        # raises NoSuchOption where it has none of that name
        found.make_parser(click.Context(found)).parse_args(arguments)


def test_commands_are_read_from_the_pages() -> None:
    read = {command for page in PAGES for command, *_ in commands(page)}
    assert read >= {"init", "run", "verify", "status", "show", "report", "sign-off", "diff"}


@BY_NAME
def test_every_option_that_is_named_in_the_text_is_one(page: Path) -> None:
    named = set(re.findall(r"`(--[a-z][a-z-]+)[ `]", page.read_text(encoding="utf-8")))
    options = {name for command in main.commands.values() for it in command.params for name in it.opts}
    assert named - options - OF_AWS - {"--help"} == set()


@BY_NAME
def test_every_variable_is_one(page: Path) -> None:
    named = set(re.findall(r"PCI_LOG_REVIEW_[A-Z_]*[A-Z]\b", page.read_text(encoding="utf-8")))
    options = {str(it.envvar) for it in main.commands["run"].params if isinstance(it, click.Option)}
    project = "".join((ROOT / name).read_text() for name in ("profiles.example.yml", "dbt_project.yml"))
    of_click = {"PCI_LOG_REVIEW_COMPLETE"}
    assert {name for name in named - options - of_click if name not in project} == set()


@BY_NAME
def test_every_make_target_is_one(page: Path) -> None:
    named = set(re.findall(r"(?:`|\$ )make ([a-z][a-z-]*)", page.read_text(encoding="utf-8")))
    targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named <= targets


@BY_NAME
def test_every_path_of_the_repository_that_is_named_is_there(page: Path) -> None:
    folders = "analyses|deploy|docs|macros|models|sample_logs|scripts|seeds|tests"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*[\w/])`", page.read_text(encoding="utf-8")))
    assert {path for path in named if not (ROOT / path).exists()} == set()


def test_the_exit_codes_of_a_run_are_told() -> None:
    rows = [cells for cells in tables(ROOT / "docs" / "operating.md") if cells[0].isdigit()]
    assert [int(cells[0]) for cells in rows] == sorted({*(int(code) for code in Exit), 128 + 2, 128 + 15})


def test_the_exit_codes_of_a_comparison_are_told() -> None:
    rows = [cells[0] for cells in tables(ROOT / "docs" / "changing-queries.md") if cells[0].isdigit()]
    assert rows == re.findall(r"\b(\d) +[a-z]", str(main.commands["diff"].help).partition("Exit code")[2])


def test_assessors_are_told_each_requirement_with_its_number_and_model() -> None:
    project: dict[str, Any] = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    rows = tables(ROOT / "docs" / "assessors.md")
    listed = {cells[2]: (cells[0], cells[1]) for cells in rows if len(cells) == 4 and cells[2].startswith("pci_")}
    known = {
        line["model"]: (line["pci_dss_v4_0_1"], line["pci_dss_v3_2_1"].split(".1 - ")[0])
        for line in project["vars"]["requirements"]
    }
    assert listed == known


def test_the_version_is_in_the_changelog_and_is_supported() -> None:
    version = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["version"]
    assert f"\n## {version} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert [f"{version.rpartition('.')[0]}.x", "yes"] in tables(ROOT / "SECURITY.md")
