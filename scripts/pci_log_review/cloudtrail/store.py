"""Where log files lie: a folder or an S3 bucket, both listed and read in the same way."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..common.aws import aws_session, is_s3, s3_place
from ..common.files import open_regular

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import ListObjectsV2OutputTypeDef

PARALLEL_READS = 8
_AHEAD_BYTES = 1 << 26  # so much is read ahead at most, beside the file that is worked on
# CloudTrail's files have some tens of MB of JSON; a much larger one is refused, so that it can't use up the memory that
# the others need.
MAX_BYTES = 1 << 28
TOO_LARGE = f"is too large to review: it has more than {MAX_BYTES} bytes, so it was not read"

Item = TypeVar("Item")
Found = TypeVar("Found")


class LogStoreError(Exception):
    """The place that should hold the logs can't be listed or read; the text says which and why."""


@dataclass(frozen=True)
class StoredFile:
    """One file as listed: its key below the store's root, its size in bytes, S3's ETag, and when it was last written,
    as the store tells it: a text to compare with a later listing's.
    """

    key: str
    size: int
    etag: str | None = None
    modified: str | None = None


class LogStore(Protocol):
    """A tree of files. Keys use `/` and are relative to the root that the user named."""

    root: str

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly in `folder` (`''` is the root), sorted; empty where there is none."""

    def level(self, folder: str) -> tuple[list[str], list[StoredFile]]:
        """The names of folders and the files directly in `folder`, sorted; empty where there is none."""

    def files(self, folder: str) -> list[StoredFile]:
        """Files in `folder` and in the folders below it, sorted by key; empty where there is none."""

    def read(self, key: str) -> bytes:
        """The file's bytes. Raises LogStoreError where it can't be read."""

    def read_with_metadata(self, key: str) -> tuple[bytes, dict[str, str]]:
        """The file's bytes, and what S3 keeps beside it (x-amz-meta-…), by name; in a folder that is empty. Raises
        LogStoreError where it can't be read.
        """


class FolderStore:
    """Log files in a local folder."""

    def __init__(self, root: str) -> None:
        self.root = root
        if not Path(root).is_dir():
            raise LogStoreError(f"logs: no folder at {root}; name the folder that holds AWSLogs/")

    def folders(self, folder: str) -> list[str]:
        return sorted(entry.name for entry in self._entries(folder) if entry.is_dir())

    def level(self, folder: str) -> tuple[list[str], list[StoredFile]]:
        entries = sorted(self._entries(folder), key=lambda entry: entry.name)
        return [entry.name for entry in entries if entry.is_dir()], [
            _stored(f"{folder}/{entry.name}", entry) for entry in entries if not entry.is_dir()
        ]

    def files(self, folder: str) -> list[StoredFile]:
        found, unseen = [], [folder]
        while unseen:
            below = unseen.pop()
            for entry in self._entries(below):
                key = f"{below}/{entry.name}"
                # a link to a folder stands for a file, which can't be read: following it could have no end
                if entry.is_dir(follow_symlinks=False):
                    unseen.append(key)
                else:
                    found.append(_stored(key, entry))
        return sorted(found, key=lambda file: file.key)

    def read(self, key: str) -> bytes:
        path = Path(self.root) / key
        try:
            with open_regular(path) as file:
                return _whole(file)
        except OSError as error:
            raise LogStoreError(f"cannot be read: {error.strerror or error}") from error

    def read_with_metadata(self, key: str) -> tuple[bytes, dict[str, str]]:
        return self.read(key), {}

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        try:
            with os.scandir(Path(self.root) / folder) as entries:
                return list(entries)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise LogStoreError(f"logs: cannot list {folder or self.root}: {error.strerror or error}") from error


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _whole(file: _Readable) -> bytes:
    """All that is in the file, which may have grown since it was listed."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise LogStoreError(TOO_LARGE)
    return data


def _stored(key: str, entry: os.DirEntry[str]) -> StoredFile:
    try:
        found = entry.stat()
    except OSError:  # it is gone, or a link that leads nowhere: reading it will say so
        return StoredFile(key, 0)
    return StoredFile(key, found.st_size, modified=str(found.st_mtime_ns))


class S3Store:
    """Log files in an S3 bucket, below a prefix."""

    def __init__(self, root: str, session: boto3.Session) -> None:
        self.root = root
        try:
            place = s3_place(root)
        except ValueError as error:
            raise LogStoreError(f"logs: {error}") from error
        self._bucket, self._prefix = place.bucket, place.prefix
        config = Config(max_pool_connections=2 * PARALLEL_READS, retries={"mode": "standard", "max_attempts": 5})
        try:
            self._client: S3Client = session.client("s3", config=config)
        except BotoCoreError as error:
            raise LogStoreError(f"logs: cannot open {root}: {error}") from error

    def folders(self, folder: str) -> list[str]:
        start = self._below(folder)
        return sorted(
            found["Prefix"][len(start) :].rstrip("/")
            for page in self._pages(start, "/")
            for found in page.get("CommonPrefixes", [])
        )

    def level(self, folder: str) -> tuple[list[str], list[StoredFile]]:
        start = self._below(folder)
        pages = list(self._pages(start, "/"))
        prefixes = [found["Prefix"] for page in pages for found in page.get("CommonPrefixes", [])]
        files = [file for page in pages for file in self._files(page)]
        return sorted(prefix[len(start) :].rstrip("/") for prefix in prefixes), files

    def files(self, folder: str) -> list[StoredFile]:
        return [file for page in self._pages(self._below(folder), "") for file in self._files(page)]

    def _files(self, page: ListObjectsV2OutputTypeDef) -> list[StoredFile]:
        return [
            StoredFile(
                found["Key"][len(self._prefix) :],
                found["Size"],
                found["ETag"].strip('"'),
                found["LastModified"].isoformat(),
            )
            for found in page.get("Contents", [])
            if found["Size"] or not found["Key"].endswith("/")  # the folder markers that the S3 console writes
        ]

    def read(self, key: str) -> bytes:
        return self.read_with_metadata(key)[0]

    def read_with_metadata(self, key: str) -> tuple[bytes, dict[str, str]]:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
            return _whole(found["Body"]), found["Metadata"]
        except (BotoCoreError, ClientError) as error:
            raise LogStoreError(f"cannot be read: {error}") from error

    def _below(self, folder: str) -> str:
        return f"{self._prefix}{folder}/" if folder else self._prefix

    def _pages(self, start: str, delimiter: str) -> Iterator[ListObjectsV2OutputTypeDef]:
        try:
            pages = self._client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self._bucket, Prefix=start, Delimiter=delimiter)
        except (BotoCoreError, ClientError) as error:
            raise LogStoreError(f"logs: cannot list s3://{self._bucket}/{start}: {error}") from error


def open_store(root: str, session: boto3.Session | None = None) -> LogStore:
    """The store at `root`: `s3://bucket/prefix`, which is read with `session` or else as the environment says, or a
    folder. Raises LogStoreError where there is none.
    """
    return S3Store(root, session or aws_session()) if is_s3(root) else FolderStore(root)


def read_ahead(
    read: Callable[[Item], Found], items: Iterable[Item], size: Callable[[Item], int]
) -> Iterator[tuple[Item, Future[Found]]]:
    """Each item with what `read` gives for it, read ahead of the one that is worked on: a few, which together have no
    more than _AHEAD_BYTES by what `size` says of them, or one.
    """
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        ahead: deque[tuple[Item, Future[Found]]] = deque()
        for item in items:
            while ahead and (
                len(ahead) == PARALLEL_READS or size(item) + sum(size(waiting) for waiting, _ in ahead) > _AHEAD_BYTES
            ):
                yield ahead.popleft()
            ahead.append((item, pool.submit(read, item)))
        while ahead:
            yield ahead.popleft()
