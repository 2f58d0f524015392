"""The command line answers wrong usage with exit code 2 and one clear line, before anything runs."""

from __future__ import annotations

import logging
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.checkout import ROOT, Checkout, Ended

from pci_log_review.cli import main
from pci_log_review.common.project import PROJECT
from pci_log_review.difference.compare import DiffExit
from pci_log_review.review.day import Exit

pytestmark = pytest.mark.slow

Command = Callable[..., Ended]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """The command line in this process, for what runs nothing: a process of its own takes two seconds to start."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "umask", lambda _: 0)
    monkeypatch.setattr(logging, "disable", lambda: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    for name in [name for name in os.environ if name.startswith("PCI_LOG_REVIEW_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PCI_LOG_REVIEW_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("PCI_LOG_REVIEW_EVIDENCE", str(tmp_path / "evidence"))

    def run(*arguments: str, **environment: str) -> Ended:
        done = CliRunner().invoke(main, arguments, env=environment, prog_name="pci-log-review", terminal_width=160)
        return Ended(done.exit_code, done.output)

    yield run
    os.environ.pop(PROJECT, None)  # which --project sets


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing option '--logs'"),
        (["run", "--logs", "sample_logs", "--run-date", "10.03.2026"], "'10.03.2026' is not a day; write it as 2026-"),
        (["run", "--logs", "sample_logs", "--run-date", "2999-01-01"], "2999-01-01 is not over yet"),
        (["run", "--logs", "sample_logs", "--run-date", "0999-01-01"], "0999-01-01 is before CloudTrail began"),
        (["run", "--logs", "sample_logs", "--evidence", "x", "--state", "x/y"], "is inside the evidence, "),
        (["run", "--logs", "sample_logs", "--log-format", "xml"], "'xml' is not one of 'text', 'json'"),
        (["diff"], "Missing option '--base'"),
        (["diff", "--base", "HEAD", "--to", "2026-03-10"], "--to goes with --from"),
        (
            ["run", "--logs", "s3a://bucket/a"],
            "logs: s3a://bucket/a is neither a folder nor s3://bucket/prefix; write s3:",
        ),
        (["run", "--logs", "sample_logs", "--evidence", "s3a://b"], "evidence: s3a://b is neither a folder nor s3://"),
        (["run", "--logs", "sample_logs", "--state", "a\nb"], "/a\\x0ab: the path has a line break"),
        (
            ["run", "--logs", "sample_logs", "--state", "region=eu"],
            "/region=eu: the path may have no = ? # and no",
        ),
        (["run", "--logs", "sample_logs", "--state", "a\\b"], "the path may have no = ? # and no"),
        (
            ["run", "--logs", "sample_logs", "--project", "sample_logs"],
            "--project sample_logs: there is no dbt_project.yml",
        ),
        (["init", "--logs", "sample_logs", "--settings", "a\nb"], "settings: "),
        (
            ["diff", "--base", "HEAD", "--logs", "s3a://b", "--from", "2026-03-10"],
            "logs: s3a://b is neither a folder nor",
        ),
        (
            ["diff", "--base", "HEAD", "--logs", "arn:aws:s3:::b", "--from", "2026-03-10"],
            "logs: arn:aws:s3:::b is an ARN",
        ),
        (["diff", "--base", "HEAD", "--logs", "sample_logs"], "--from: say of which day the logs are to be compared"),
        (["review"], "No such command 'review'"),
    ],
)
def test_wrong_usage_is_exit_2(command: Command, tmp_path: Path, arguments: list[str], said: str) -> None:
    ended = command(*arguments)
    assert ended.code == 2, ended.text
    assert said in ended.text
    assert "Traceback" not in ended.text
    assert not list(tmp_path.iterdir())


def test_faulty_settings_run_nothing(tmp_path: Path) -> None:
    settings = Path(shutil.copytree(ROOT / "seeds" / "settings", tmp_path / "settings"))
    (settings / "trail_scope.csv").write_text(
        "account_id,account_name,region,in_cde,logs_expected\n1111,shop,*,true,daily\n2222,shop,*,true,daily\n"
    )
    checkout = Checkout.of(tmp_path)
    ended = checkout.review("2026-03-10", ROOT / "sample_logs", "--settings", str(settings))
    assert ended.code == 2
    assert "trail_scope.csv, line 2: account_id: '1111' is not an account id of 12 digits" in ended.last_lines
    assert "trail_scope.csv, line 3: account_id: '2222' is not an account id of 12 digits" in ended.last_lines
    assert not checkout.evidence.exists()
    # a test run gives a checkout what dbt has parsed, and nothing else was written
    assert {path.name for path in tmp_path.glob("state/**/*")} <= {"target", "partial_parse.msgpack"}


def test_help_names_every_option_with_its_environment_variable(command: Command) -> None:
    ended = command("run", "--help")
    days = ("run-date", "since", "from", "to", "max-days")
    for option in ("logs", *days, "target", "evidence", "settings", "state", "notify-topic", "log-format"):
        assert f"--{option}" in ended.text
        assert f"PCI_LOG_REVIEW_{option.replace('-', '_').upper()}" in ended.text
    assert re.search(r"^ +0  every day is reviewed and complete", ended.text, re.MULTILINE)


def test_help_has_every_exit_code_in_a_table(command: Command) -> None:
    told = command("--help").text
    codes = {int(code) for code in re.findall(r"^ +(\d+)  \w", told, re.MULTILINE)}
    assert codes == {*(int(code) for code in [*Exit, *DiffExit]), 128 + signal.SIGTERM}
    assert 'eval "$(_PCI_LOG_REVIEW_COMPLETE=bash_source pci-log-review)"' in told


def test_the_shell_completes_commands_and_options(command: Command) -> None:
    def completed(words: str, number: int) -> str:
        return command(_PCI_LOG_REVIEW_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(number)).text

    assert completed("pci-log-review ver", 1) == "plain,verify\n"
    assert "plain,--expect" in completed("pci-log-review verify --e", 2)


@pytest.mark.parametrize("name", ["verify", "status", "show", "report"])
def test_what_only_reads_evidence_has_no_options_for_writing_it(command: Command, name: str) -> None:
    told = command(name, "--help").text
    assert "--evidence TEXT" in told
    assert "kms" not in told
    assert "retention" not in told


def test_ctrl_c_is_one_line_and_exit_130(tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    command = [sys.executable, "-m", "pci_log_review", "run", "--logs", "sample_logs", "--run-date", "2026-03-10"]
    running = checkout.begun(command, {}, start_new_session=True)
    assert running.stdout is not None
    assert "Reviewing the logs" in running.stdout.readline()
    os.killpg(running.pid, signal.SIGINT)  # as a terminal does: dbt gets it, too
    out, errors = running.communicate(timeout=60)
    assert (running.returncode, out) == (130, "")
    assert errors == "pci-log-review: the run was broken off: it was interrupted (Ctrl-C)\n"


def test_options_come_from_environment_variables(command: Command) -> None:
    ended = command("run", PCI_LOG_REVIEW_LOGS="sample_logs", PCI_LOG_REVIEW_RUN_DATE="nonsense")
    assert ended.code == 2
    assert "'nonsense' is not a day" in ended.text


def test_a_missing_profile_names_the_file_to_copy(tmp_path: Path) -> None:
    ended = Checkout.of(tmp_path).run("run", "--logs", "sample_logs", DBT_PROFILES_DIR=str(tmp_path))
    assert ended.code == 2
    assert "no profiles.yml in" in ended.text
    assert "profiles.example.yml there" in ended.text
