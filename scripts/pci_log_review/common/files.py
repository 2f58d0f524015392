"""Reads files that somebody else may have put there."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_MOST_BYTES = 1 << 28


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file. Raises OSError where it is a link, a pipe, a device or anything else, which might
    lead elsewhere or never end, where it has more than 256 MiB, and where it can't be read.
    """
    with open(path, "rb", opener=_without_following_or_waiting) as file:  # Path.open takes no opener
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(f"it has more than {_MOST_BYTES} bytes")
    return data


def _without_following_or_waiting(path: str, flags: int) -> int:
    file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError("it is not a regular file")
    return file
