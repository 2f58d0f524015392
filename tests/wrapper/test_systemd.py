"""The units in deploy/systemd are such as systemd takes, and name options that there are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.checkout import ROOT, Checkout

pytestmark = pytest.mark.slow

UNITS = ROOT / "deploy" / "systemd"


@pytest.fixture
def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    if found is None:
        if os.environ.get("PCI_LOG_REVIEW_RUN_EVERY_TEST") == "1":
            pytest.fail("systemd-analyze is required here (PCI_LOG_REVIEW_RUN_EVERY_TEST=1)", pytrace=False)
        pytest.skip("systemd-analyze is not on this machine")
    return found


def analyze(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def installed(folder: Path) -> list[Path]:
    """The units, in a folder of their own, for a program that is there."""
    program = folder / "opt" / ".venv" / "bin" / "pci-log-review"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for unit in UNITS.iterdir():
        (folder / unit.name).write_text(unit.read_text().replace("/opt/pci-log-review", str(folder / "opt")))
    return sorted(folder.glob("pci-log-review.*"))


def test_systemd_takes_the_unit_and_the_timer(systemd_analyze: str, tmp_path: Path) -> None:
    units = installed(tmp_path)
    assert [unit.suffix for unit in units] == [".service", ".timer"]
    verified = analyze(systemd_analyze, "verify", *map(str, units))
    told = [line for line in verified.stderr.splitlines() if "pci-log-review" in line]
    assert (verified.returncode, told) == (0, []), verified.stderr


def test_systemd_would_refuse_a_unit_with_a_mistake(systemd_analyze: str, tmp_path: Path) -> None:
    units = installed(tmp_path)
    units[0].write_text(units[0].read_text().replace("ProtectSystem=strict", "ProtectSystem=rather"))
    assert "pci-log-review.service:" in analyze(systemd_analyze, "verify", *map(str, units)).stderr


def test_the_timer_fires_once_a_day(systemd_analyze: str) -> None:
    [calendar] = re.findall(r"^OnCalendar=(.*)$", (UNITS / "pci-log-review.timer").read_text(), re.MULTILINE)
    fires = analyze(systemd_analyze, "calendar", "--iterations=3", calendar)
    assert fires.returncode == 0, fires.stderr
    assert len(re.findall(r"04:00:00 UTC", fires.stdout)) >= 3, fires.stdout


def test_every_setting_that_the_unit_names_is_an_option(tmp_path: Path) -> None:
    named = set(re.findall(r"PCI_LOG_REVIEW_\w+", (UNITS / "pci-log-review.service").read_text()))
    assert named
    text = Checkout.of(tmp_path).run("run", "--help").text
    assert {name for name in named if name not in text} == set()
