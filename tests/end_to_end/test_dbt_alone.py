"""dbt without the wrapper behaves as a dbt user expects, and finds the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.checkout import NO_TESTS, ROOT, Checkout, settings_without_digests

RUN_DATE = ("--vars", "{run_date: 2026-03-10}")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A full `dbt build` of the sample day, unit tests included."""
    checkout = Checkout.of(tmp_path_factory.mktemp("built"))
    ended = checkout.dbt("build", *RUN_DATE)
    assert ended.code == 0, ended.last_lines
    return checkout


def test_a_full_build_passes_every_unit_test_and_data_test(built: Checkout) -> None:
    results = json.loads((built.home / "target" / "run_results.json").read_text())["results"]
    kinds = {result["unique_id"].split(".")[0] for result in results}
    assert {"model", "seed", "test", "unit_test"} <= kinds
    run = [result for result in results if not result["unique_id"].startswith("exposure.")]  # which have nothing to run
    assert {result["status"] for result in run} <= {"success", "pass", "warn"}


def test_the_wrapper_and_dbt_alone_leave_the_same_rows(built: Checkout, tmp_path: Path) -> None:
    wrapper = Checkout.of(tmp_path)
    settings = settings_without_digests(tmp_path / "settings")  # dbt alone doesn't read them
    nothing_proven = {"PCI_LOG_REVIEW_PUBLIC_KEYS": ""}
    sample, arguments = ROOT / "sample_logs", ("--settings", str(settings))
    assert wrapper.review("2026-03-10", sample, *arguments, **NO_TESTS, **nothing_proven).code == 0
    for relation in ("findings", "log_coverage", "daily_review"):
        query = f"select * from {relation} order by all"
        assert built.rows(query) == wrapper.rows(query)


def test_every_requirement_model_has_a_unit_test_and_every_column_a_description(built: Checkout) -> None:
    manifest = json.loads((built.home / "target" / "manifest.json").read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    for model in models:
        assert model["description"].strip(), model["name"]
        assert model["columns"], model["name"]
        assert all(column["description"].strip() for column in model["columns"].values()), model["name"]
        if model["name"].startswith("pci_"):
            assert model["name"] in tested
            assert {"pci_dss_v4_0_1", "pci_dss_v3_2_1"} <= set(model["config"]["meta"])
            assert model["config"]["contract"]["enforced"]


def test_dbt_test_passes_after_a_build(built: Checkout) -> None:
    ended = built.dbt("test", *RUN_DATE, "--exclude-resource-type", "unit_test")
    assert ended.code == 0, ended.last_lines


def test_a_tag_selects_the_models_of_a_requirement(built: Checkout) -> None:
    nodes = json.loads((built.home / "target" / "manifest.json").read_text())["nodes"].values()
    tagged = [node["name"] for node in nodes if node["resource_type"] == "model" and "10.2.1.4" in node["tags"]]
    assert tagged == ["pci_10_2_1_4_invalid_access_attempts"]


def test_docs_are_generated_with_every_model(built: Checkout) -> None:
    ended = built.dbt("docs", "generate", *RUN_DATE)
    assert ended.code == 0, ended.last_lines
    catalog = json.loads((built.home / "target" / "catalog.json").read_text())["nodes"]
    assert {"findings", "daily_review", "log_coverage"} <= {unique_id.rpartition(".")[2] for unique_id in catalog}


def test_a_plain_build_reviews_yesterday_and_says_that_there_are_no_logs(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    ended = checkout.dbt("build", "--exclude-resource-type", "unit_test")
    assert ended.code == 0, ended.last_lines
    results = checkout.rows("select distinct result, run_date = (now() at time zone 'utc')::date - 1 from daily_review")
    assert results == [("no logs", True)]


@pytest.mark.parametrize("run_date", ["2026-02-30", "2026-03-10' or '1'='1", None])
def test_a_run_date_that_is_no_day_stops_everything(tmp_path: Path, run_date: str | None) -> None:
    checkout = Checkout.of(tmp_path)
    ended = checkout.dbt("build", "--vars", json.dumps({"run_date": run_date}))
    assert ended.code != 0
    assert "; write it as 2026-11-22" in ended.text
    assert not (checkout.state / "lake").exists()


def test_settings_outside_the_project_are_refused_before_dbt_writes_over_them(tmp_path: Path) -> None:
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "trail_scope.csv").write_text("account_id,account_name,region,in_cde,logs_expected\n")
    ended = Checkout.of(tmp_path).dbt("seed", PCI_LOG_REVIEW_SETTINGS=str(settings))
    assert ended.code != 0
    assert "dbt alone takes a folder inside the project" in ended.text
    assert (settings / "trail_scope.csv").read_text() == "account_id,account_name,region,in_cde,logs_expected\n"


def test_faulty_settings_block_the_build_with_dbt_alone_too(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path, copied=True)
    checkout.broken("seeds/settings/trail_scope.csv", "111122223333,production,us-east-1", "1111,production,us-east-1")
    ended = checkout.dbt("build", *RUN_DATE, "--exclude-resource-type", "unit_test")
    assert ended.code != 0
    assert "matches_trail_scope_account_id" in ended.text
    assert not (checkout.state / "lake").exists()


def test_the_shipped_settings_with_other_logs_fail_and_say_why(tmp_path: Path) -> None:
    day = tmp_path / "logs/AWSLogs/123456789012/CloudTrail/us-east-1/2026/03/10"
    day.mkdir(parents=True)
    sample = next(ROOT.glob("sample_logs/AWSLogs/*/CloudTrail/us-east-1/2026/03/10/*.json.gz"))
    (day / sample.name).write_bytes(sample.read_bytes())
    ended = Checkout.of(tmp_path).dbt(
        "build", *RUN_DATE, "--exclude-resource-type", "unit_test", PCI_LOG_REVIEW_LOGS=str(tmp_path / "logs")
    )
    assert ended.code != 0
    assert "trail_scope names none of the accounts whose logs are in" in ended.text
    assert "(123456789012). The settings that are shipped are those of the sample logs" in ended.text


def test_the_athena_target_parses(tmp_path: Path) -> None:
    places = {f"PCI_LOG_REVIEW_ATHENA_{name}": f"s3://{name.lower()}/" for name in ("RESULTS", "DATA")}
    ended = Checkout.of(tmp_path).dbt("parse", "--target", "athena", *RUN_DATE, **places)
    assert ended.code == 0, ended.last_lines
