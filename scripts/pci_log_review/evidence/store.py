"""Where the evidence lies: a folder or an S3 bucket, written so that nothing half-written is ever taken for whole."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

# A file that is read as a whole: the findings of some hundred thousand calls have as much.
MAX_BYTES = 1 << 29
_PIECE = 1 << 20


class EvidenceError(Exception):
    """The evidence can't be listed, read or written; the text is one line: which place, and what is wrong."""


class Locked(Exception):
    """Another run holds the lock; the text names its host and process id, and since when it holds it."""


class EvidenceStore(Protocol):
    """A tree of files. Keys use `/` and are relative to `where`, which is as the user named it.

    A key or folder that leads elsewhere (`..`, absolute, backslash), begins a name with a dot, or does not print
    raises EvidenceError, as everything does that the place refuses.
    """

    where: str

    def keys(self) -> list[str]:
        """Every file's key, sorted; without the lock and what `unfinished` lists. Empty where nothing is there yet."""

    def unfinished(self) -> list[str]:
        """Hidden folders and files that are not evidence: of dead runs, and of one that is under way. None on S3."""

    def clean(self) -> None:
        """Removes all that `unfinished` lists. For the holder of the lock, before it writes anything."""

    def read(self, key: str) -> bytes:
        """The file's bytes. Raises EvidenceError where there are more than MAX_BYTES."""

    def lines(self, key: str) -> Iterator[bytes]:
        """The file's lines, one after the other: for tables, which may be larger than the memory."""

    def sha256(self, key: str, size: int) -> str | None:
        """The SHA-256 of the file in hex, a piece at a time; None where it has not this size: then it is not read."""

    def write(self, key: str, data: bytes) -> None:
        """Writes the file at once, in place of one that is there. On S3 it is not kept by Object Lock."""

    def create(self, key: str, data: bytes) -> None:
        """Writes the file at once. Raises EvidenceError where it is there already."""

    def staging(self, folder: str) -> AbstractContextManager[Path]:
        """A new local folder for the files of `folder`. It is gone at the end, whether published or not."""

    def publish(self, staged: Path, folder: str, seal: str) -> None:
        """Makes the files below `staged` the evidence folder `folder`; the file named `seal` comes last.

        In a local store `staged` must come from `staging` of the same folder. On S3 a folder without its seal is
        unfinished. Raises EvidenceError where the folder is there already.
        """

    def lock(self) -> AbstractContextManager[int | None]:
        """Holds the one lock of this place. Raises Locked where another run has it.

        Yields the descriptor for `pass_fds` of child processes, which then keep the lock as long as they live; None
        on S3. Raises EvidenceError at the end where the lock was lost meanwhile.
        """

    def check_lock(self) -> None:
        """For right before `publish`: raises EvidenceError where the lock was lost. A folder's lock can't be."""


class _LockNote(msgspec.Struct, frozen=True):
    """What a lock says about its holder. A text that would not fit into a message of one line is not accepted."""

    host: Annotated[str, msgspec.Meta(pattern=r"\A[\w.:-]{1,255}\Z")]
    pid: int
    since: Annotated[str, msgspec.Meta(pattern=r"\A[\w.:+-]{1,40}\Z")]
    renewed: float = 0  # epoch seconds of the holder's clock, for people; nothing is decided by it
    writer: str = ""


def lock_note(since: datetime, writer: str) -> bytes:
    """What this process writes into its lock; `writer` identifies the holder."""
    started = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    note = _LockNote(socket.gethostname(), os.getpid(), started, datetime.now(UTC).timestamp(), writer)
    return msgspec.json.encode(note)


def locked_by(where: str, content: bytes) -> Locked:
    """The error for a run that finds the lock of `where` taken; `content` is the note in that lock."""
    try:
        note = msgspec.json.decode(content, type=_LockNote)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Locked(f"evidence: another run holds the lock of {where}; what it says about itself cannot be read")
    return Locked(
        f"evidence: another run holds the lock of {where}: process {note.pid} on {note.host}, since {note.since}"
    )


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def whole(file: _Readable) -> bytes:
    """All that is in the file. Raises OSError where that is more than MAX_BYTES."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise OSError(f"it has more than {MAX_BYTES} bytes")
    return data


def sha256_of(file: _Readable, size: int) -> str | None:
    """The SHA-256 in hex of a file of this size, which may have changed since that was asked: then None."""
    digest, left = hashlib.sha256(), size
    while piece := file.read(min(left + 1, _PIECE)):
        digest.update(piece)
        left -= len(piece)
        if left < 0:
            return None
    return None if left else digest.hexdigest()


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Raises what the file system or S3 says as an EvidenceError of one line."""
    try:
        yield
    except OSError as error:
        raise EvidenceError(f"evidence: cannot {what}: {error.strerror or error}") from error
    except (BotoCoreError, ClientError) as error:
        raise EvidenceError(f"evidence: cannot {what}: {' '.join(str(error).split())}") from error


def checked_key(key: str) -> str:
    """The key. Raises EvidenceError where it leads elsewhere or is hidden."""
    if "\\" in key or not key.isprintable() or any(part[:1] in ("", ".") for part in key.split("/")):
        raise EvidenceError(f"evidence: {key!r} cannot be the name of a file or folder of evidence")
    return key


def staged_files(staged: Path, seal: str) -> list[str]:
    """Keys relative to `staged`, the seal last."""
    with reported(f"read {staged}"):
        files = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file())
    if seal not in files:
        raise EvidenceError(f"evidence: cannot publish {staged}: it has no {seal}")
    return [file for file in files if file != seal] + [seal]
