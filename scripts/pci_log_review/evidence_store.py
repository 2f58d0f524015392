"""Where the evidence lies: a folder or an S3 bucket, written so that nothing half-written is ever taken for whole."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING, Annotated, Literal, Protocol, get_args

import boto3
import msgspec
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

PARALLEL_UPLOADS = 8
RENEW_SECONDS = 30.0
LEASE_SECONDS = 300.0  # an S3 lock that was not renewed for so long belongs to a dead run

RetentionMode = Literal["GOVERNANCE", "COMPLIANCE"]

_UNFINISHED = ".unfinished"
_FOLDER_LOCK = ".lock"
_S3_LOCK = "lock.json"
_REFUSALS = {"PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "NoSuchKey"}


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
        """Removes all that `unfinished` lists. Only for who holds the lock and has not begun to write yet."""

    def read(self, key: str) -> bytes:
        """The file's bytes."""

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
    """What a lock says about its holder. A text that could garble the one line of a message makes it unreadable."""

    host: Annotated[str, msgspec.Meta(pattern=r"\A[\w.:-]{1,255}\Z")]
    pid: int
    since: Annotated[str, msgspec.Meta(pattern=r"\A[\w.:+-]{1,40}\Z")]
    renewed: float = 0  # epoch seconds of the holder's clock, for people; nothing is decided by it
    writer: str = ""


def _note(since: datetime, writer: str) -> bytes:
    started = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    note = _LockNote(socket.gethostname(), os.getpid(), started, datetime.now(UTC).timestamp(), writer)
    return msgspec.json.encode(note)


def _locked(where: str, content: bytes) -> Locked:
    try:
        note = msgspec.json.decode(content, type=_LockNote)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Locked(f"evidence: another run holds the lock of {where}; what it says about itself cannot be read")
    return Locked(
        f"evidence: another run holds the lock of {where}: process {note.pid} on {note.host}, since {note.since}"
    )


@contextmanager
def _reported(what: str) -> Iterator[None]:
    """Raises what the file system or S3 says as an EvidenceError of one line."""
    try:
        yield
    except OSError as error:
        raise EvidenceError(f"evidence: cannot {what}: {error.strerror or error}") from error
    except (BotoCoreError, ClientError) as error:
        raise EvidenceError(f"evidence: cannot {what}: {' '.join(str(error).split())}") from error


def _checked(key: str) -> str:
    if "\\" in key or not key.isprintable() or any(part[:1] in ("", ".") for part in key.split("/")):
        raise EvidenceError(f"evidence: {key!r} cannot be the name of a file or folder of evidence")
    return key


def _staged_files(staged: Path, seal: str) -> list[str]:
    """Keys relative to `staged`, the seal last."""
    with _reported(f"read {staged}"):
        files = sorted(path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file())
    if seal not in files:
        raise EvidenceError(f"evidence: cannot publish {staged}: it has no {seal}")
    return [file for file in files if file != seal] + [seal]


class FolderEvidence:
    """Evidence in a local folder, which the first lock or file creates.

    Every file and folder is written below a hidden name beside its final one, flushed to the disk and then renamed.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._root = Path(where).absolute()
        with _reported(f"look at {where}"):
            is_file = self._root.exists() and not self._root.is_dir()
        if is_file:
            raise EvidenceError(f"evidence: {where} is not a folder")

    def keys(self) -> list[str]:
        return sorted(key for key in self._names() if key != _FOLDER_LOCK and not _is_unfinished(key))

    def unfinished(self) -> list[str]:
        return sorted(key for key in self._names() if _is_unfinished(key))

    def clean(self) -> None:
        for key in self.unfinished():
            path = self._root / key
            with _reported(f"remove {self.where}/{key}"):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)

    def read(self, key: str) -> bytes:
        path = self._path(key)
        with _reported(f"read {self.where}/{key}"):
            if not stat.S_ISREG(path.stat().st_mode):
                raise OSError("it is not a regular file")  # a pipe would never end
            return path.read_bytes()

    def write(self, key: str, data: bytes) -> None:
        path = self._path(key)
        with _reported(f"write {self.where}/{key}"), _hidden_file(path, data) as hidden:
            hidden.replace(path)

    def create(self, key: str, data: bytes) -> None:
        path = self._path(key)
        # a hard link, unlike a rename, never replaces what is there
        with _reported(f"create {self.where}/{key}"), _hidden_file(path, data) as hidden:
            path.hardlink_to(hidden)

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        final = self._path(folder)
        staged = final.with_name(f".{final.name}{_UNFINISHED}")
        with _reported(f"write {self.where}/{folder}"):
            _make_folder(final.parent)
            staged.mkdir()
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)  # what was published has another name now

    def publish(self, staged: Path, folder: str, seal: str) -> None:
        final = self._path(folder)
        _staged_files(staged, seal)
        with _reported(f"publish {self.where}/{folder}"):
            if os.path.lexists(final):  # a rename would replace an empty folder
                raise OSError("it is there already")
            for path in (*staged.rglob("*"), staged):
                _sync(path)
            staged.rename(final)
            _sync(final.parent)

    @contextmanager
    def lock(self) -> Iterator[int | None]:
        # The file stays when the lock is given back: two runs could else each lock a file of that name. It is not
        # unlocked but closed, so that a child process that has the descriptor keeps the lock.
        with _reported(f"lock {self.where}"):
            _make_folder(self._root)
            file = os.open(self._root / _FOLDER_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            with _reported(f"lock {self.where}"):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise _locked(self.where, os.pread(file, 4096, 0)) from None
                os.ftruncate(file, 0)
                os.pwrite(file, _note(datetime.now(UTC), ""), 0)
            yield file
        finally:
            os.close(file)

    def check_lock(self) -> None:
        pass

    def _path(self, key: str) -> Path:
        path = self._root / _checked(key)
        try:
            inside = path.resolve().is_relative_to(self._root.resolve())
        except (OSError, RuntimeError):  # a link that leads to itself
            inside = False
        if not inside:
            raise EvidenceError(f"evidence: {self.where}/{key} is a link that leads elsewhere")
        return path

    def _names(self) -> Iterator[str]:
        """Every file, and every folder that is unfinished, which is not looked into."""
        unseen = [""]
        while unseen:
            folder = unseen.pop()
            for entry in self._entries(folder):
                key = f"{folder}/{entry.name}" if folder else entry.name
                # a link to a folder stands for a file, which can't be read: following it could have no end
                if entry.is_dir(follow_symlinks=False) and not _is_unfinished(key):
                    unseen.append(key)
                else:
                    yield key

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        with _reported(f"list {self.where}/{folder}".rstrip("/")):
            try:
                with os.scandir(self._root / folder) as entries:
                    return list(entries)
            except FileNotFoundError:
                return []


def _is_unfinished(key: str) -> bool:
    return key.rpartition("/")[2].startswith(".") and key.endswith(_UNFINISHED)


@contextmanager
def _hidden_file(path: Path, data: bytes) -> Iterator[Path]:
    """The bytes, safe on the disk, under a hidden name beside `path`; at the end the folder is flushed, too."""
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
    """Creates the folder and those above it, each one safe on the disk."""
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


class _Refused(Exception):
    """S3 refused a conditional put: the object is not as the condition says."""


class S3Evidence:
    """Evidence in an S3 bucket, below a prefix. Credentials come from the usual AWS places.

    Needs s3:ListBucket, GetObject, PutObject and DeleteObject (the lock only), and with retention PutObjectRetention.
    The lock is an object that its holder renews; its age is told by S3's clock, never by that of a machine of ours.
    Where it cannot be deleted at the end, it is free after LEASE_SECONDS, as that of a dead run is.
    """

    def __init__(self, where: str, kms_key: str | None, retention: tuple[int, RetentionMode] | None) -> None:
        self.where = where
        self._kms_key, self._retention = kms_key, retention
        self._bucket, _, prefix = where.removeprefix("s3://").partition("/")
        if not self._bucket:
            raise EvidenceError(f"evidence: {where} names no bucket; write s3://bucket or s3://bucket/prefix")
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._lease: _Lease | None = None
        config = Config(max_pool_connections=2 * PARALLEL_UPLOADS, retries={"mode": "standard", "max_attempts": 5})
        with _reported(f"open {where}"):
            self._client: S3Client = boto3.client("s3", config=config)

    def keys(self) -> list[str]:
        # a name that ends in / is a folder marker of the S3 console
        return sorted(key for key in self._listed("") if key != _S3_LOCK and not key.endswith("/"))

    def unfinished(self) -> list[str]:
        return []

    def clean(self) -> None:
        pass

    def read(self, key: str) -> bytes:
        with _reported(f"read {self._shown(key)}"):
            return self._client.get_object(Bucket=self._bucket, Key=self._prefix + _key(key))["Body"].read()

    def write(self, key: str, data: bytes) -> None:
        with _reported(f"write {self._shown(key)}"):
            self._client.put_object(**self._request(_key(key), data))

    def create(self, key: str, data: bytes) -> None:
        self._create(_key(key), data)

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        _key(folder)
        with _reported("write to the folder for temporary files"):
            staged = tempfile.TemporaryDirectory(prefix="pci-log-review-", ignore_cleanup_errors=True)
        with staged as path:
            yield Path(path)

    def publish(self, staged: Path, folder: str, seal: str) -> None:
        *files, last = _staged_files(staged, seal)
        if any(True for _ in self._listed(f"{_key(folder)}/")):
            raise EvidenceError(f"evidence: cannot publish {self._shown(folder)}: it is there already")

        def upload(file: str) -> None:
            with _reported(f"read {staged / file}"):
                body = (staged / file).open("rb")
            with body:
                self._create(f"{folder}/{file}", body)

        with ThreadPoolExecutor(PARALLEL_UPLOADS) as pool:
            list(pool.map(upload, files))  # raises what the first failed upload raised
        upload(last)

    @contextmanager
    def lock(self) -> Iterator[int | None]:
        self._lease = lease = self._take_lease()
        over = Event()
        renewing = Thread(target=self._keep_renewing, args=(lease, over), daemon=True)
        renewing.start()
        try:
            yield None
        finally:
            over.set()
            renewing.join()
            self._lease = None
            self._release(lease)
        if lease.lost:
            raise self._lost()

    def check_lock(self) -> None:
        if self._lease is None:
            raise EvidenceError(f"evidence: the lock of {self.where} is not held")
        self._renew(self._lease)
        if self._lease.lost:
            raise self._lost()

    def _take_lease(self) -> _Lease:
        lease = _Lease()
        request = self._request(_S3_LOCK, _note(lease.since, lease.writer))
        with _reported(f"lock {self.where}"):
            try:
                lease.etag = self._put_if(request | {"IfNoneMatch": "*"}, lease.writer)
                return lease
            except _Refused:
                found, content, age = self._found_lock()
            if age < LEASE_SECONDS:
                raise _locked(self.where, content)
            try:
                lease.etag = self._put_if(request | {"IfMatch": found}, lease.writer)
            except _Refused:  # another run took it in this moment
                raise _locked(self.where, self._found_lock()[1]) from None
            return lease

    def _found_lock(self) -> tuple[str, bytes, float]:
        """The lock object's ETag, content and age in seconds, by S3's clock. Raises Locked where it is gone."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + _S3_LOCK)
        except self._client.exceptions.NoSuchKey:
            raise Locked(f"evidence: another run held the lock of {self.where} a moment ago; try again") from None
        now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
        return found["ETag"], found["Body"].read(4096), (now - found["LastModified"]).total_seconds()

    def _keep_renewing(self, lease: _Lease, over: Event) -> None:
        while not over.wait(RENEW_SECONDS):
            with suppress(EvidenceError):  # no network, perhaps: the next beat tries again
                self._renew(lease)

    def _renew(self, lease: _Lease) -> None:
        """Raises EvidenceError where S3 can't be asked; that the lock was lost is left in the lease."""
        with lease.mutex, _reported(f"renew the lock of {self.where}"):
            if lease.lost:
                return
            request = self._request(_S3_LOCK, _note(lease.since, lease.writer))
            try:
                lease.etag = self._put_if(request | {"IfMatch": lease.etag}, lease.writer)
            except _Refused:
                lease.lost = True

    def _release(self, lease: _Lease) -> None:
        with suppress(EvidenceError):  # the lease runs out by itself
            self._renew(lease)  # so that the ETag is that of our last put, even where its answer never came
            if not lease.lost:
                with _reported(f"unlock {self.where}"):
                    self._client.delete_object(Bucket=self._bucket, Key=self._prefix + _S3_LOCK, IfMatch=lease.etag)

    def _lost(self) -> EvidenceError:
        return EvidenceError(f"evidence: this run lost the lock of {self.where} to another run")

    def _create(self, key: str, body: bytes | IO[bytes]) -> None:
        request = self._request(key, body)
        if self._retention:
            days, request["ObjectLockMode"] = self._retention
            request["ObjectLockRetainUntilDate"] = datetime.now(UTC) + timedelta(days=days)
        with _reported(f"create {self._shown(key)}"):
            try:
                self._put_if(request | {"IfNoneMatch": "*"}, secrets.token_hex(16))
            except _Refused:
                raise OSError("it is there already") from None

    def _request(self, key: str, body: bytes | IO[bytes]) -> PutObjectRequestTypeDef:
        request: PutObjectRequestTypeDef = {"Bucket": self._bucket, "Key": self._prefix + key, "Body": body}
        if self._kms_key:
            request |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key}
        return request

    def _put_if(self, request: PutObjectRequestTypeDef, writer: str) -> str:
        """The object's ETag after a conditional put. Raises _Refused where the condition is not met.

        A put whose answer was lost is sent again and refused, as its object is there: the object's metadata name the
        writer, so that it knows its own.
        """
        try:
            return self._client.put_object(**request | {"Metadata": {"writer": writer}})["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] not in _REFUSALS:
                raise
        try:
            found = self._client.head_object(Bucket=self._bucket, Key=request["Key"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                raise _Refused from error
            raise
        if found["Metadata"].get("writer") != writer:
            raise _Refused
        return found["ETag"]

    def _listed(self, start: str) -> Iterator[str]:
        with _reported(f"list {self._shown(start)}"):
            pages = self._client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + start):
                for found in page.get("Contents", []):
                    yield found["Key"][len(self._prefix) :]

    def _shown(self, key: str) -> str:
        return f"s3://{self._bucket}/{self._prefix}{key}"


class _Lease:
    """The S3 lock as this run holds it."""

    def __init__(self) -> None:
        self.since = datetime.now(UTC)
        self.writer = secrets.token_hex(16)  # also makes each holder's ETag its own: it can be the content's hash
        self.etag = ""
        self.lost = False
        self.mutex = Lock()


def _key(key: str) -> str:
    if key == _S3_LOCK:
        raise EvidenceError(f"evidence: {key!r} is the name of the lock")
    return _checked(key)


def open_evidence(
    where: str, kms_key: str | None = None, retention_days: int | None = None, retention_mode: str = "GOVERNANCE"
) -> EvidenceStore:
    """The store at `where`: `s3://bucket/prefix` or a folder, for which the other options mean nothing.

    On S3 everything is encrypted with `kms_key`, or as the bucket says where there is none. What `create` and
    `publish` write is kept for `retention_days` by Object Lock, where given. Raises EvidenceError where `where` or
    the retention can't be right; that the place is there and lets us in shows at the first use.
    """
    if not where.startswith("s3://"):
        return FolderEvidence(where)
    mode = next((mode for mode in get_args(RetentionMode) if mode == retention_mode), None)
    if mode is None:
        raise EvidenceError(f"evidence: retention mode {retention_mode!r} is neither GOVERNANCE nor COMPLIANCE")
    if retention_days is not None and retention_days < 1:
        raise EvidenceError(f"evidence: a retention of {retention_days} days is less than one day")
    return S3Evidence(where, kms_key, (retention_days, mode) if retention_days else None)
