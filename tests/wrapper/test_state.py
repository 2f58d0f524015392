"""A state is taken by its own version and later ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pci_log_review.common.errors import UsageError
from pci_log_review.review.state import make_state, take_state


@pytest.mark.parametrize("found", [None, "", "0.4.0", "0.9.9", "0.10.0\n", "nonsense", "\udcff"])
def test_a_state_of_this_version_or_an_earlier_one_is_taken_and_says_so(tmp_path: Path, found: str | None) -> None:
    if found is not None:
        (tmp_path / "version").write_bytes(found.encode("utf-8", "surrogateescape"))
    take_state(tmp_path, "0.10.0")
    assert (tmp_path / "version").read_text() == "0.10.0\n"


@pytest.mark.parametrize(("place", "why"), [("file/state", "Not a directory"), ("locked/state", "Permission denied")])
def test_a_state_that_cannot_be_written_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, why: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(os, "access", lambda path, _: "locked" not in str(path))  # as it is for who isn't root
    with pytest.raises(UsageError) as told:
        make_state(tmp_path / place)
    assert str(told.value) == f"state: {tmp_path / place} cannot be written: {why}; name another folder by --state"


@pytest.mark.parametrize("found", ["0.10.1", "0.11.0", "1.0.0", "0.10.0.1"])
def test_a_state_of_a_later_version_is_refused_in_one_line(tmp_path: Path, found: str) -> None:
    (tmp_path / "version").write_text(f"{found}\n")
    with pytest.raises(
        UsageError, match=f"was written by pci-log-review {found}, and this is 0.10.0: use that"
    ) as told:
        take_state(tmp_path, "0.10.0")
    assert len(str(told.value).splitlines()) == 1
    assert (tmp_path / "version").read_text() == f"{found}\n"
