"""Evidence in a local folder."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ..common.files import open_regular
from .store import EvidenceError, checked_key, lock_note, locked_by, reported, sha256_of, staged_files, whole

_UNFINISHED = ".unfinished"
_LOCK = ".lock"
_OWNER_ONLY = 0o600


class FolderEvidence:
    """Evidence in a local folder, which the first lock or file creates.

    Every file and folder is written under a hidden name next to its final one, flushed to disk and then renamed.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._root = Path(where).absolute()
        with reported(f"look at {where}"):
            is_file = self._root.exists() and not self._root.is_dir()
        if is_file:
            raise EvidenceError(f"evidence: {where} is not a folder")

    def keys(self) -> list[str]:
        return sorted(key for key in self._names() if key != _LOCK and not _is_unfinished(key))

    def unfinished(self) -> list[str]:
        return sorted(key for key in self._names() if _is_unfinished(key))

    def clean(self) -> None:
        for key in self.unfinished():
            path = self._root / key
            with reported(f"remove {self.where}/{key}"):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def read(self, key: str) -> bytes:
        path = self._path(key)
        with reported(f"read {self.where}/{key}"), open_regular(path) as file:
            return whole(file)

    def lines(self, key: str) -> Iterator[bytes]:
        path = self._path(key)
        with reported(f"read {self.where}/{key}"), open_regular(path) as file:
            yield from file

    def sha256(self, key: str, size: int) -> str | None:
        path = self._path(key)
        with reported(f"read {self.where}/{key}"), open_regular(path) as file:
            return sha256_of(file, size) if os.fstat(file.fileno()).st_size == size else None

    def write(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with reported(f"write {self.where}/{key}"), _hidden_file(path, data) as hidden:
            hidden.replace(path)

    def create(self, key: str, data: bytes) -> None:
        path = self._path(key)
        # a hard link, unlike a rename, never replaces what is there
        with reported(f"create {self.where}/{key}"), _hidden_file(path, data) as hidden:
            path.hardlink_to(hidden)

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        final = self._path(folder)
        staged = final.with_name(f".{final.name}{_UNFINISHED}")
        with reported(f"write {self.where}/{folder}"):
            _make_folder(final.parent)
            staged.mkdir()
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)  # a published folder has been renamed

    def publish(self, staged: Path, folder: str, seal: str) -> None:
        final = self._path(folder)
        staged_files(staged, seal)
        with reported(f"publish {self.where}/{folder}"):
            if os.path.lexists(final):  # a rename would replace an empty folder
                raise OSError("it is there already")
            for path in (*staged.rglob("*"), staged):
                _sync(path)
            staged.rename(final)
            _sync(final.parent)

    @contextmanager
    def lock(self) -> Iterator[int | None]:
        # The file stays after the lock is released: otherwise two runs could each lock a file of that name. It is
        # closed, not unlocked, so a child process that has the descriptor keeps the lock.
        with reported(f"lock {self.where}"):
            _make_folder(self._root)
            file = os.open(self._root / _LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, _OWNER_ONLY)
        try:
            with reported(f"lock {self.where}"):
                _keep_from_others(file, self._root)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise locked_by(self.where, os.pread(file, 4096, 0)) from None
                os.ftruncate(file, 0)
                os.pwrite(file, lock_note(datetime.now(UTC), ""), 0)
            yield file
        finally:
            os.close(file)

    def check_lock(self) -> None:
        pass

    def _path(self, key: str) -> Path:
        path = self._root / checked_key(key)
        try:
            inside = path.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError):  # a link that leads to itself
            inside = False
        if not inside:
            raise EvidenceError(f"evidence: {self.where}/{key} is a link that leads elsewhere")
        return path

    def _names(self) -> Iterator[str]:
        """Every file, and every unfinished folder without its contents."""
        unseen = [""]
        while unseen:
            folder = unseen.pop()
            for entry in self._entries(folder):
                key = f"{folder}/{entry.name}" if folder else entry.name
                # a link to a folder counts as a file, which can't be read: following it might never end
                if entry.is_dir(follow_symlinks=False) and not _is_unfinished(key):
                    unseen.append(key)
                else:
                    yield key

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        with reported(f"list {self.where}/{folder}".rstrip("/")):
            try:
                with os.scandir(self._root / folder) as entries:
                    return list(entries)
            except FileNotFoundError:
                return []


def _keep_from_others(file: int, root: Path) -> None:
    """Lets nobody but its owner open the lock file: whoever can open it, can hold the lock for ever. Raises OSError
    where it is no file of ours alone: writing to it would write elsewhere, too, or another user holds it at will.
    """
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        raise OSError(f"{root / _LOCK} is not a file of its own: remove it")
    if found.st_uid not in (os.geteuid(), root.stat().st_uid):
        raise OSError(f"{root / _LOCK} belongs to another user, who could hold it for ever: remove it")
    if stat.S_IMODE(found.st_mode) != _OWNER_ONLY:
        os.fchmod(file, _OWNER_ONLY)  # an earlier version's


def _is_unfinished(key: str) -> bool:
    return key.rpartition("/")[2].startswith(".") and key.endswith(_UNFINISHED)


@contextmanager
def _hidden_file(path: Path, data: bytes) -> Iterator[Path]:
    """The bytes, flushed to disk, under a hidden name next to `path`; at the end the folder is flushed, too."""
    _make_folder(path.parent)
    hidden = path.with_name(f".{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        with hidden.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield hidden
    finally:
        hidden.unlink(missing_ok=True)
    _sync(path.parent)


def _make_folder(path: Path) -> None:
    """Creates the folder and its parents, each one flushed to disk."""
    if path.is_dir():
        return
    try:
        path.mkdir(exist_ok=True)
    except FileNotFoundError:
        _make_folder(path.parent)
        path.mkdir(exist_ok=True)
    _sync(path.parent)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
