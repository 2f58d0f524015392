"""No character of a log hides, or turns what stands beside it."""

from __future__ import annotations

import pytest

from pci_log_review.pages.visible import visible


@pytest.mark.parametrize("code", [0x00, 0x1B, 0xAD, 0x200B, 0x200F, 0x202E, 0x2066, 0xFEFF, 0x3164, 0xA0, 0xE0041])
def test_what_does_not_show_is_written_out(code: int) -> None:
    assert visible(f"a{chr(code)}b") == f"a<U+{code:04X}>b"


def test_a_letter_that_poses_as_latin_is_named_and_other_languages_are_left_alone() -> None:
    assert visible("\u0430dmin") == "\u0430<U+0430>dmin"
    assert visible("Zoë Åkerlund \u2013 Prüfung 支払い.csv") == "Zoë Åkerlund \u2013 Prüfung 支払い.csv"
    assert visible("Привет мир") == "Привет мир"
