"""What every suite may use: an Athena on this machine. And which tests may run side by side."""

from __future__ import annotations

import os

import pytest
from tests.local_athena.fixture import athena_place, local_athena
from tests.parsed_project import ParsedProject
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

__all__ = ["athena_place", "local_athena"]

ATHENA = ("tests/athena/", "tests/local_athena/")


@pytest.fixture(scope="session", autouse=True)
def parsed_project(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One folder for all processes of this test run."""
    of_this_process = tmp_path_factory.getbasetemp()
    shared = of_this_process.parent if "PYTEST_XDIST_WORKER" in os.environ else of_this_process
    ParsedProject.folder = shared / "parsed_project"
    ParsedProject.folder.mkdir(exist_ok=True)


class _ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """A file's tests run in one process, and all that need Athena in the same: there is one Trino."""

    def _split_scope(self, nodeid: str) -> str:
        return "athena" if nodeid.startswith(ATHENA) else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Called by pytest-xdist, where `make test` runs two processes or more."""
    return _ByFile(config, log)
