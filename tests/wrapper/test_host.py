"""What others on the host, or what they have laid into a folder, can do to a run."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import pytest
from tests.checkout import ROOT, Checkout
from tests.local_athena import trino
from tests.local_athena.errors import LocalAthenaUnavailable

from pci_log_review.cloudtrail.keys import keys_from_file
from pci_log_review.common.errors import UsageError
from pci_log_review.common.files import read_regular
from pci_log_review.evidence.tables import TableWriter
from pci_log_review.settings.checks import FILES, check_settings
from pci_log_review.warehouse.lake import _database
from pci_log_review.warehouse.profile import read_profile

pytestmark = pytest.mark.slow


def lay_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as it:
        it.bind(str(path))


def lay_link_to_pipe(path: Path) -> None:
    os.mkfifo(path.with_suffix(".pipe"))
    path.symlink_to(path.with_suffix(".pipe"))


# What may lie in place of a file: reading a pipe waits for its writer, reading a device has no end
OTHER_KINDS: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link to a pipe": lay_link_to_pipe,
    "a folder": Path.mkdir,
    "a socket": lay_socket,
}
OTHER_KIND = pytest.mark.parametrize("lay", OTHER_KINDS.values(), ids=OTHER_KINDS)


@OTHER_KIND
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, lay: Callable[[Path], object]) -> None:
    lay(tmp_path / "it")
    with pytest.raises(OSError, match=r"^it is not a regular file$"):
        read_regular(tmp_path / "it")


def test_a_link_to_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"what it holds")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link") == b"what it holds"


@pytest.mark.parametrize("name", FILES)
def test_a_pipe_in_place_of_a_settings_file_is_a_fault_of_that_file(tmp_path: Path, name: str) -> None:
    for path in (ROOT / "seeds" / "settings").glob("*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / f"{name}.csv").unlink()
    os.mkfifo(tmp_path / f"{name}.csv")
    assert [str(fault) for fault in check_settings(tmp_path)] == [
        f"{name}.csv, line 1: cannot be read as CSV in UTF-8: it is not a regular file"
    ]


def test_a_pipe_in_place_of_public_keys_or_a_profile_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "profiles.yml")
    with pytest.raises(UsageError, match="it is not a regular file"):
        keys_from_file(tmp_path / "profiles.yml")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    with pytest.raises(UsageError, match=r"no profiles\.yml in"):
        read_profile("local", ROOT, {})


def test_what_is_written_is_the_users_alone(tmp_path: Path) -> None:
    settings = tmp_path / "made" / "settings"
    before = os.umask(0o002)
    try:
        ended = Checkout.of(tmp_path).run("init", "--logs", "sample_logs", "--settings", str(settings))
    finally:
        os.umask(before)
    assert ended.code == 0, ended.text
    written = [settings.parent, settings, *settings.iterdir()]
    assert len(written) == len(FILES) + 3  # with the README
    assert not [path for path in written if stat.S_IMODE(path.stat().st_mode) & 0o077]


def test_init_writes_through_no_link(tmp_path: Path) -> None:
    settings, elsewhere = tmp_path / "settings", tmp_path / "elsewhere"
    settings.mkdir()
    (settings / "trail_scope.csv").symlink_to(elsewhere)
    ended = Checkout.of(tmp_path).run("init", "--logs", "sample_logs", "--settings", str(settings))
    assert ended.code == 2
    assert "has trail_scope.csv already; nothing was written" in ended.text
    assert not elsewhere.exists()


@pytest.mark.parametrize("name", ["review.duckdb", "target", "logs/dbt.log", "lake/logs/run_date=2026-03-10"])
def test_a_run_writes_through_no_link_in_the_state(tmp_path: Path, name: str) -> None:
    checkout = Checkout.of(tmp_path)
    elsewhere, link = tmp_path / "elsewhere", checkout.state / name
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    ended = checkout.review("2026-03-10")
    assert ended.code == 2, ended.text
    assert f"{link} is a link, so the review would write elsewhere" in ended.text.replace("\n", " ")
    assert not elsewhere.exists()


def test_what_has_no_room_in_memory_is_not_laid_into_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    working, lake = tmp_path / "working", tmp_path / "lake"
    working.mkdir()
    lake.mkdir()
    monkeypatch.chdir(working)
    with _database(lake) as converting, TableWriter() as tables:
        for connection in (converting, tables._connection):
            connection.execute("set memory_limit = '60MB'")
            with suppress(duckdb.OutOfMemoryException):
                connection.execute(
                    "create table a as select range, md5(range::varchar) from range(2_000_000) order by 2"
                )
        assert (lake / ".unfinished").is_dir(), "something had no room"
    assert not list(working.iterdir())


def test_every_action_of_the_workflows_is_pinned_by_its_hash() -> None:
    workflows = list((ROOT / ".github" / "workflows").glob("*.y*ml"))
    used = [it for path in workflows for it in re.findall(r"^\s*-?\s*uses:\s*(.*)$", path.read_text(), re.MULTILINE)]
    assert used
    assert not [it for it in used if not re.match(r"[\w./-]+@[0-9a-f]{40}(\s|$)", it)]


def test_another_file_in_place_of_one_of_trino_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maven = tmp_path / "mvn"
    maven.write_text(
        '#!/bin/sh\nfor it in "$@"; do case $it in -DoutputDirectory=*) echo other > "${it#*=}/x.zip";; esac; done\n'
    )
    maven.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PCI_LOG_REVIEW_CACHE", str(tmp_path / "cache"))
    with pytest.raises(LocalAthenaUnavailable, match=r"x\.zip is not the file that is expected: its SHA-256 is "):
        trino.install()
    assert not list((tmp_path / "cache").iterdir())
