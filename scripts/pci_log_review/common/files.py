"""Files on a host where others may have laid something else in their place: a pipe, a device, a link."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

NOT_REGULAR = "it is not a regular file"
_MOST_BYTES = 1 << 28


def open_regular(path: Path, *, follow_link: bool = True) -> BinaryIO:
    """Opens the file for reading. Raises OSError, also where it is a pipe, a device or a folder: a pipe is not waited
    for, and a device would never end; and where it is a link that shall not be followed.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | (0 if follow_link else os.O_NOFOLLOW))
    except OSError as error:
        if error.errno == errno.ENXIO:  # a socket
            raise OSError(NOT_REGULAR) from error
        raise
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(NOT_REGULAR)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, *, follow_link: bool = True) -> bytes:
    """The file's bytes. Raises OSError as open_regular does, and where it has more than 256 MiB."""
    with open_regular(path, follow_link=follow_link) as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise OSError(f"it has more than {_MOST_BYTES} bytes")
    return data


def links_below(folder: Path) -> list[Path]:
    """Every link in the folder and the folders below it: what is written to its name would land elsewhere. Raises
    OSError.
    """
    found, unseen = [], [folder]
    while unseen:
        with os.scandir(unseen.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    found.append(Path(entry.path))
                elif entry.is_dir(follow_symlinks=False):
                    unseen.append(Path(entry.path))
    return sorted(found)
