"""Evidence in an S3 bucket."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Event, Lock, Thread
from typing import IO, TYPE_CHECKING, Literal

from botocore.config import Config
from botocore.exceptions import ClientError

from ..common.aws import s3_place
from .store import EvidenceError, Locked, checked_key, lock_note, locked_by, reported, sha256_of, staged_files, whole

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

PARALLEL_UPLOADS = 8
RENEW_SECONDS = 30.0
LEASE_SECONDS = 300.0  # an S3 lock that was not renewed for this long belongs to a dead run

RetentionMode = Literal["GOVERNANCE", "COMPLIANCE"]

_LOCK = "lock.json"
_REFUSALS = {"PreconditionFailed", "ConditionalRequestConflict", "OperationAborted", "NoSuchKey"}


class _Refused(Exception):
    """S3 refused a conditional put: its condition is not met."""


_CHUNK = 1 << 16


class S3Evidence:
    """Evidence in an S3 bucket, below a prefix.

    Needs s3:ListBucket, GetObject, PutObject and DeleteObject (the lock only), and with retention PutObjectRetention.
    The lock is an object that its holder renews; its age is measured by S3's clock, never by a local one. If it cannot
    be deleted at the end, it expires after LEASE_SECONDS, like that of a dead run.
    """

    def __init__(
        self, where: str, session: boto3.Session, kms_key: str | None, retention: tuple[int, RetentionMode] | None
    ) -> None:
        self.where = where
        self._kms_key, self._retention = kms_key, retention
        try:
            place = s3_place(where)
        except ValueError as error:
            raise EvidenceError(f"evidence: {error}") from error
        self._bucket, self._prefix = place.bucket, place.prefix
        self._lease: _Lease | None = None
        config = Config(max_pool_connections=2 * PARALLEL_UPLOADS, retries={"mode": "standard", "max_attempts": 5})
        with reported(f"open {where}"):
            self._client: S3Client = session.client("s3", config=config)

    def keys(self) -> list[str]:
        # a name that ends in / is a folder marker of the S3 console
        return sorted(key for key in self._listed("") if key != _LOCK and not key.endswith("/"))

    def unfinished(self) -> list[str]:
        return []

    def clean(self) -> None:
        pass

    def read(self, key: str) -> bytes:
        with reported(f"read {self._shown(key)}"):
            return whole(self._client.get_object(Bucket=self._bucket, Key=self._prefix + _key(key))["Body"])

    def lines(self, key: str) -> Iterator[bytes]:
        with reported(f"read {self._shown(key)}"):
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + _key(key))
            with closing(found["Body"]) as body:
                yield from body.iter_lines(_CHUNK, keepends=True)

    def sha256(self, key: str, size: int) -> str | None:
        with reported(f"read {self._shown(key)}"):
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + _key(key))
            with closing(found["Body"]) as body:
                return sha256_of(body, size) if found["ContentLength"] == size else None

    def write(self, key: str, data: bytes) -> None:
        with reported(f"write {self._shown(key)}"):
            self._client.put_object(**self._request(_key(key), data))

    def create(self, key: str, data: bytes) -> None:
        self._create(_key(key), data)

    @contextmanager
    def staging(self, folder: str) -> Iterator[Path]:
        _key(folder)
        with reported("write to the folder for temporary files"):
            staged = tempfile.TemporaryDirectory(prefix="pci-log-review-", ignore_cleanup_errors=True)
        with staged as path:
            yield Path(path)

    def publish(self, staged: Path, folder: str, seal: str) -> None:
        *files, last = staged_files(staged, seal)
        if any(True for _ in self._listed(f"{_key(folder)}/")):
            raise EvidenceError(f"evidence: cannot publish {self._shown(folder)}: it is there already")

        def upload(file: str) -> None:
            with reported(f"read {staged / file}"):
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
        request = self._request(_LOCK, lock_note(lease.since, lease.writer))
        with reported(f"lock {self.where}"):
            try:
                lease.etag = self._put_if(request | {"IfNoneMatch": "*"}, lease.writer)
                return lease
            except _Refused:
                found, content, age = self._found_lock()
            if age < LEASE_SECONDS:
                raise locked_by(self.where, content)
            try:
                lease.etag = self._put_if(request | {"IfMatch": found}, lease.writer)
            except _Refused:  # another run took it at this moment
                raise locked_by(self.where, self._found_lock()[1]) from None
            return lease

    def _found_lock(self) -> tuple[str, bytes, float]:
        """The lock object's ETag, content and age in seconds, by S3's clock. Raises Locked if it is gone."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + _LOCK)
        except self._client.exceptions.NoSuchKey:
            raise Locked(f"evidence: another run held the lock of {self.where} a moment ago; try again") from None
        now = parsedate_to_datetime(found["ResponseMetadata"]["HTTPHeaders"]["date"])
        return found["ETag"], found["Body"].read(4096), (now - found["LastModified"]).total_seconds()

    def _keep_renewing(self, lease: _Lease, over: Event) -> None:
        while not over.wait(RENEW_SECONDS):
            with suppress(EvidenceError):  # no network, perhaps: the next renewal tries again
                self._renew(lease)

    def _renew(self, lease: _Lease) -> None:
        """Raises EvidenceError if the request to S3 fails; a lost lock is recorded in the lease."""
        with lease.mutex, reported(f"renew the lock of {self.where}"):
            if lease.lost:
                return
            request = self._request(_LOCK, lock_note(lease.since, lease.writer))
            try:
                lease.etag = self._put_if(request | {"IfMatch": lease.etag}, lease.writer)
            except _Refused:
                lease.lost = True

    def _release(self, lease: _Lease) -> None:
        with suppress(EvidenceError):  # the lease expires by itself
            self._renew(lease)  # so that the ETag is that of our last put, even if its response was lost
            if not lease.lost:
                with reported(f"unlock {self.where}"):
                    self._client.delete_object(Bucket=self._bucket, Key=self._prefix + _LOCK, IfMatch=lease.etag)

    def _lost(self) -> EvidenceError:
        return EvidenceError(f"evidence: this run lost the lock of {self.where} to another run")

    def _create(self, key: str, body: bytes | IO[bytes]) -> None:
        request = self._request(key, body)
        if self._retention:
            days, request["ObjectLockMode"] = self._retention
            request["ObjectLockRetainUntilDate"] = datetime.now(UTC) + timedelta(days=days)
        with reported(f"create {self._shown(key)}"):
            try:
                self._put_if(request | {"IfNoneMatch": "*"}, secrets.token_hex(16))
            except _Refused:
                raise OSError("it is there already") from None

    def _request(self, key: str, body: bytes | IO[bytes]) -> PutObjectRequestTypeDef:
        request: PutObjectRequestTypeDef = {"Bucket": self._bucket, "Key": self._prefix + key, "Body": body}
        if key.endswith(".html"):  # a browser shows it, and does not save it
            request["ContentType"] = "text/html; charset=utf-8"
        if self._kms_key:
            request |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._kms_key}
        return request

    def _put_if(self, request: PutObjectRequestTypeDef, writer: str) -> str:
        """The object's ETag after a conditional put. Raises _Refused if the condition is not met.

        A put whose response was lost is retried and refused, since its object exists: the writer in the object's
        metadata shows that it is this run's own.
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
        with reported(f"list {self._shown(start)}"):
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
        self.writer = secrets.token_hex(16)  # also makes each holder's ETag unique: it can be the content's hash
        self.etag = ""
        self.lost = False
        self.mutex = Lock()


def _key(key: str) -> str:
    if key == _LOCK:
        raise EvidenceError(f"evidence: {key!r} is the name of the lock")
    return checked_key(key)
