"""What holds for the dbt project as it is written: everything is described, and nothing is said in two places."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.checkout import ROOT, Checkout

pytestmark = pytest.mark.slow

PROJECT: dict[str, Any] = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
ENGINES = ("duckdb", "athena")
REQUIREMENTS = {line["model"]: line for line in PROJECT["vars"]["requirements"]}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    checkout = Checkout.of(tmp_path_factory.mktemp("parsed"))
    # what dbt can check of macros' arguments is a warning, and here an error
    ended = checkout.dbt("--warn-error", "parse", "--no-partial-parse")
    assert ended.code == 0, ended.last_lines
    found: dict[str, Any] = json.loads((checkout.home / "target" / "manifest.json").read_text())
    return found


def nodes(manifest: dict[str, Any], *kinds: str) -> dict[str, dict[str, Any]]:
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] in kinds}


def test_every_test_has_a_description(manifest: dict[str, Any]) -> None:
    unit_tests = {test["name"]: test for test in manifest["unit_tests"].values()}
    assert not [name for name, test in (nodes(manifest, "test") | unit_tests).items() if not test["description"]]


def test_every_model_seed_and_column_has_a_description(manifest: dict[str, Any]) -> None:
    described = nodes(manifest, "model", "seed") | {source["name"]: source for source in manifest["sources"].values()}
    for name, node in described.items():
        assert node["description"], name
        assert node["columns"], name
        assert not [column for column in node["columns"].values() if not column["description"]], name


def test_what_only_the_first_day_of_a_run_does_depends_on_no_day(manifest: dict[str, Any]) -> None:
    macros = manifest["macros"]

    def called(names: list[str]) -> set[str]:
        return set(names).union(*(called(macros[name]["depends_on"]["macros"]) for name in names))

    once = {
        name: node
        for name, node in nodes(manifest, "model", "test").items()
        if not {"settings", "same_each_day"}.isdisjoint(node["tags"])
    }
    assert {"findings", "requirements", "trail_scope_names_each_region_once"} <= set(once)
    for name, node in once.items():
        assert "macro.pci_log_review.run_date" not in called(node["depends_on"]["macros"]), name
        assert "'run_date'" not in node["raw_code"], name
        assert node["resource_type"] == "test" or node["config"]["materialized"] == "view", name


def test_every_macro_and_its_arguments_have_a_description(manifest: dict[str, Any]) -> None:
    for macro in manifest["macros"].values():
        own = macro["package_name"] == "pci_log_review" and not re.match(r"duckdb__|athena__|test_", macro["name"])
        if own:
            assert macro["description"], macro["name"]
            assert not [argument for argument in macro["arguments"] if not argument["description"]], macro["name"]


def test_a_macro_file_holds_one_macro_and_what_it_dispatches_to() -> None:
    for path in (ROOT / "macros").rglob("*.sql"):
        text = path.read_text()
        names = set(re.findall(r"{%-? macro (\w+)\(", text))
        dispatched = {f"{engine}__{name}" for name in re.findall(r"dispatch\('(\w+)'\)", text) for engine in ENGINES}
        assert names - dispatched in ({path.stem}, {f"get_incremental_{path.stem}_sql"}), path.name
        assert dispatched <= names, path.name
        assert max(map(len, text.splitlines())) <= 120, path.name


def test_no_macro_has_the_name_of_a_model_or_seed(manifest: dict[str, Any]) -> None:
    macros = {macro["name"] for macro in manifest["macros"].values() if macro["package_name"] == "pci_log_review"}
    # the model `requirements` shows the list that the macro returns
    assert macros & set(nodes(manifest, "model", "seed")) <= {"requirements"}


def test_each_requirement_model_is_listed_once_and_says_its_number_in_both_versions(manifest: dict[str, Any]) -> None:
    models = {name: node for name, node in nodes(manifest, "model").items() if "requirement" in node["tags"]}
    assert set(models) == set(REQUIREMENTS)
    assert len(PROJECT["vars"]["requirements"]) == len({line["requirement"] for line in REQUIREMENTS.values()})
    for name, node in models.items():
        assert node["meta"]["pci_dss_v4_0_1"] == REQUIREMENTS[name]["pci_dss_v4_0_1"] in node["tags"]
        assert node["meta"]["pci_dss_v3_2_1"].startswith(REQUIREMENTS[name]["pci_dss_v3_2_1"])
        asked = re.findall(r"(?:events_with_catalogue|finding_rows)\('([^']+)'", node["raw_code"])
        assert set(asked) == {REQUIREMENTS[name]["requirement"]}, name


def test_each_requirement_model_is_part_of_the_findings_with_the_same_columns(manifest: dict[str, Any]) -> None:
    models = nodes(manifest, "model")
    findings = models["findings"]
    for name in REQUIREMENTS:
        assert f"model.pci_log_review.{name}" in findings["depends_on"]["nodes"]
        assert models[name]["columns"].keys() == findings["columns"].keys()


def test_each_requirement_model_has_unit_tests(manifest: dict[str, Any]) -> None:
    assert {test["model"] for test in manifest["unit_tests"].values()} >= set(REQUIREMENTS)


def test_requirement_models_read_the_intermediate_models_and_these_alone_read_staging(manifest: dict[str, Any]) -> None:
    staging = "model.pci_log_review.stg_cloudtrail__events"
    readers = {name for name, node in nodes(manifest, "model").items() if staging in node["depends_on"]["nodes"]}
    assert readers == {"int_catalogue_of_day", "int_events_to_look_at", "log_files"}
    facts = {f"model.pci_log_review.{path.stem}" for path in (ROOT / "models" / "intermediate").glob("*.sql")}
    for name, node in nodes(manifest, "model").items():
        read = {other for other in node["depends_on"]["nodes"] if other.startswith("model.")}
        if name in REQUIREMENTS:
            assert read <= facts, name
        elif not name.startswith("int_"):
            assert not read & facts, name


def test_a_requirement_model_is_15_to_40_lines_long() -> None:
    lengths = {name: len(path(name).read_text().splitlines()) for name in REQUIREMENTS}
    assert all(15 <= length <= 40 for length in lengths.values()), lengths


def path(model: str) -> Path:
    return ROOT / "models" / "requirements" / f"{model}.sql"


def test_requirements_can_not_be_set_on_the_command_line(tmp_path: Path) -> None:
    ended = Checkout.of(tmp_path).dbt("parse", "--vars", "{requirements: []}")
    assert ended.code == 2
    assert "requirements are listed in dbt_project.yml" in ended.text


def test_the_version_stands_in_one_place_is_semantic_and_the_newest_of_the_changelog() -> None:
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert package["dynamic"] == ["version"]
    assert "version" not in package
    released = re.findall(
        r"^## (\d+\.\d+\.\d+) \S \d{4}-\d{2}-\d{2}$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    assert PROJECT["version"] == released[0]
    assert released == sorted(released, key=lambda it: [int(part) for part in it.split(".")], reverse=True)
