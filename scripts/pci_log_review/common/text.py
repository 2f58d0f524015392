"""Text that may be shown: whoever writes a log, or names a file, may have put commands for the terminal there."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_one_line(text: str) -> bool:
    """Whether the text has no line break, control character or byte that is not UTF-8: what names a place in messages,
    in CSV and to dbt.
    """
    return not _BREAKS.search(text)


def few(names: Sequence[str], most: int) -> str:
    """The first of the names, as many as are shown, and how many others there are."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def printable(text: str) -> str:
    """The text with each character that does not print replaced by its number, as in `\\x1b`."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
