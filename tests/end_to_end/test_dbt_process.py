"""One dbt process builds all days of a run; what goes wrong in one day is no other day's matter."""

from __future__ import annotations

import json
import os
import signal
import time
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from tests.checkout import NO_TESTS, ROOT, Checkout

from pci_log_review.review.day import take_inventory
from pci_log_review.review.options import EvidencePlace, Run, RunOptions, open_run
from pci_log_review.warehouse.dbt import Dbt, DbtFailed, Progress
from pci_log_review.warehouse.inventory import write_inventory

FIRST, SECOND = date(2026, 3, 9), date(2026, 3, 10)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over the sample logs, both of whose days were converted."""
    checkout = Checkout.of(tmp_path_factory.mktemp("process"))
    (checkout.home / "profiles.yml").write_text((ROOT / "profiles.example.yml").read_text())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DBT_PROFILES_DIR", str(checkout.home))
        place = EvidencePlace(str(checkout.evidence))
        opened = open_run(RunOptions(str(ROOT / "sample_logs"), "local", place, state=checkout.state))
    for day in (FIRST, SECOND):
        write_inventory(take_inventory(opened, day), day, str(checkout.state / "lake"), None)
    environment = {**opened.dbt.environment, **NO_TESTS}
    return replace(opened, dbt=replace(opened.dbt, environment=environment))


def pid_of(dbt: Dbt) -> int:
    assert dbt._process
    return dbt._process.pid


def ends(pid: int) -> bool:
    deadline = time.monotonic() + 15
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not Path(f"/proc/{pid}").exists()


def test_dbt_imports_nothing_from_the_working_folder_nor_from_where_the_environment_points(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("functools", "json", "yaml", "dbt", "pci_log_review", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'imported')!r}, 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    environment = {**run.dbt.environment, "PYTHONPATH": str(tmp_path), "PYTHONSTARTUP": str(tmp_path / "yaml.py")}
    with Dbt(replace(run.dbt, environment=environment), ()) as dbt:
        process = dbt._process
        assert process
        assert Path(f"/proc/{process.pid}/cwd").readlink() == run.dbt.project
    assert process.returncode == 0  # what it imports first was imported: it ended because this side did
    assert not (tmp_path / "imported").exists()


def test_catalogue_and_settings_are_loaded_and_tested_once_and_stand_in_the_results_of_each_day(run: Run) -> None:
    everything = replace(run.dbt, environment={**run.dbt.environment, "DBT_RESOURCE_TYPES": "model seed test"})
    progress: list[Progress] = []
    with Dbt(everything, ()) as dbt:
        built = [dbt.build(day, [], progress.append) for day in (FIRST, SECOND)]
        first, second = ({node.unique_id for node in result.nodes} for result in built)
    assert first == second
    loaded = [told.name for told in progress if told.kind == "seed"]
    assert "expected_activity" in loaded
    assert len(loaded) == len(set(loaded))
    of_the_day = [told.name for told in progress if told.kind == "test"]
    assert of_the_day.count("trail_scope_names_each_region_once") == 1
    assert of_the_day.count("expected_activity_lines_have_not_expired") == 2  # which depends on the day
    assert of_the_day.count("finding_is_unique") == 2
    assert [told.name for told in progress].count("findings") == 1  # a view without a day


def test_a_contract_that_a_model_breaks_fails_each_day(run: Run, tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path, copied=True)
    checkout.broken("models/review/log_files.sql", "final as (\n    select", "final as (\n    select 1 as undeclared,")
    checkout.state.mkdir()
    with Dbt(replace(run.dbt, project=checkout.project, state=checkout.state), ()) as dbt:
        for day in (FIRST, SECOND):
            failed = {node.name: node.message for node in dbt.build(day, [], lambda _: None).failed()}
            assert "enforced contract that failed" in failed["log_files"]


def test_a_process_parses_once_and_builds_each_day_with_its_own_variables(run: Run) -> None:
    progress: list[Progress] = []
    with Dbt(run.dbt, ()) as dbt:
        pid = pid_of(dbt)
        first = dbt.build(FIRST, [], progress.append)
        parsed = (run.dbt.target_path / "partial_parse.msgpack").stat().st_mtime_ns
        second = dbt.build(SECOND, [], progress.append)
        assert pid_of(dbt) == pid
    assert (run.dbt.target_path / "partial_parse.msgpack").stat().st_mtime_ns == parsed
    assert first.invocation_id != second.invocation_id
    for result, day in ((first, FIRST), (second, SECOND)):
        assert not result.failed()
        assert not result.not_built()
        [model] = [node for node in result.nodes if node.name == "daily_review"]
        assert f"'{day}'" in model.compiled_sql
    assert {step.name for step in progress} >= {"trail_scope", "stg_cloudtrail__events", "daily_review"}
    assert ends(pid)


def test_a_dbt_that_crashes_in_one_day_is_told_and_the_next_day_has_another(run: Run) -> None:
    with Dbt(run.dbt, ()) as dbt:
        crashed = pid_of(dbt)

        def kill(step: Progress) -> None:
            if step.kind == "model":
                os.kill(crashed, signal.SIGKILL)

        with pytest.raises(DbtFailed, match=r"^dbt: ended early, with exit code -9"):
            dbt.build(FIRST, [], kill)
        assert not dbt.build(SECOND, [], lambda _: None).failed()
        assert pid_of(dbt) != crashed


def test_a_dbt_that_died_before_its_first_day_is_told(run: Run) -> None:
    with Dbt(run.dbt, ()) as dbt:
        os.kill(pid_of(dbt), signal.SIGKILL)
        with pytest.raises(DbtFailed, match=r"^dbt: ended early, with exit code -9"):
            dbt.build(FIRST, [], lambda _: None)


def test_a_project_that_can_not_be_parsed_says_why_for_each_day(run: Run, tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path, copied=True)
    checkout.broken("models/review/daily_review.sql", "select", "{% if %} select")
    project = replace(run.dbt, project=checkout.project, state=checkout.state)
    checkout.state.mkdir()
    with Dbt(project, ()) as dbt:
        for day in (FIRST, SECOND):
            with pytest.raises(DbtFailed, match=r"^dbt: Expected an expression"):
                dbt.build(day, [], lambda _: None)


def test_what_dbt_keeps_of_the_project_is_parsed_again_where_it_changed(run: Run) -> None:
    if not (run.dbt.target_path / "partial_parse.msgpack").is_file():  # this test runs alone
        with Dbt(run.dbt, ()) as dbt:
            dbt.build(FIRST, [], lambda _: None)
    elsewhere = replace(run.dbt, environment={**run.dbt.environment, "PCI_LOG_REVIEW_LOGS": "/elsewhere"})
    with Dbt(elsewhere, ()) as dbt:
        failed = dbt.build(FIRST, [], lambda _: None).failed()
    assert any("/elsewhere" in node.message for node in failed), json.dumps([node.message for node in failed])
