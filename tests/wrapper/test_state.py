"""A state is taken by its own version and later ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from pci_log_review.common.errors import UsageError
from pci_log_review.review.state import take_state


@pytest.mark.parametrize("found", [None, "", "0.4.0", "0.9.9", "0.10.0\n", "nonsense", "\udcff"])
def test_a_state_of_this_version_or_an_earlier_one_is_taken_and_says_so(tmp_path: Path, found: str | None) -> None:
    if found is not None:
        (tmp_path / "version").write_bytes(found.encode("utf-8", "surrogateescape"))
    take_state(tmp_path, "0.10.0")
    assert (tmp_path / "version").read_text() == "0.10.0\n"


@pytest.mark.parametrize("found", ["0.10.1", "0.11.0", "1.0.0", "0.10.0.1"])
def test_a_state_of_a_later_version_is_refused_in_one_line(tmp_path: Path, found: str) -> None:
    (tmp_path / "version").write_text(f"{found}\n")
    with pytest.raises(
        UsageError, match=f"was written by pci-log-review {found}, and this is 0.10.0: use that"
    ) as told:
        take_state(tmp_path, "0.10.0")
    assert len(str(told.value).splitlines()) == 1
    assert (tmp_path / "version").read_text() == f"{found}\n"
