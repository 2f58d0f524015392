"""Pytest fixtures: one service for the session, one place of its own for each test that wants it.

In the conftest: `from tests.local_athena.fixture import athena_place, local_athena  # noqa: F401`
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from .errors import LocalAthenaUnavailable
from .service import LocalAthena, Place

REQUIRED = "PCI_LOG_REVIEW_RUN_EVERY_TEST"


@pytest.fixture(scope="session")
def local_athena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAthena]:
    """The running service; a skip (a failure where it is required) when this machine can't run it."""
    run_folder: Path = tmp_path_factory.mktemp("local-athena")
    with ExitStack() as stack:
        try:
            service = stack.enter_context(LocalAthena(run_folder))
        except LocalAthenaUnavailable as reason:
            if os.environ.get(REQUIRED) == "1":
                pytest.fail(f"local Athena is required here ({REQUIRED}=1): {reason}", pytrace=False)
            pytest.skip(f"local Athena: {reason}")
        yield service


@pytest.fixture
def athena_place(local_athena: LocalAthena) -> Iterator[Place]:
    """Buckets, a database and a work group for one test; faults end with it."""
    yield local_athena.new_place()
    local_athena.faults.clear()
