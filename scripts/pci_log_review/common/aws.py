"""Places in S3, and the identity by which AWS is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ProfileNotFound

from .errors import UsageError
from .text import is_one_line, printable

_SCHEME = "s3://"


@dataclass(frozen=True)
class S3Place:
    """A bucket and the prefix in it, which is empty or ends in a slash."""

    bucket: str
    prefix: str

    def __str__(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}"


def is_s3(where: str) -> bool:
    """Whether a place that the user named is in S3; else it is a folder."""
    return where.startswith(_SCHEME)


def named_place(what: str, where: str) -> str:
    """The place of `what` (logs, evidence) that the user named: s3://… as it is, a folder as its absolute path.

    Raises UsageError where it is neither, but the address of a bucket in another form, and where it is not one line.
    """
    if where.startswith(("arn:", f"{_SCHEME}arn:")):
        raise UsageError(
            f"{what}: {where} is an ARN; write s3://bucket/prefix, or an access point's alias in place of bucket"
        )
    scheme, mark, rest = where.partition("://")
    if mark and scheme != "s3":
        meant = rest if scheme.lower() in ("s3", "s3a", "s3n") else "bucket/prefix"
        raise UsageError(f"{what}: {where} is neither a folder nor s3://bucket/prefix; write s3://{meant}")
    return where if is_s3(where) else str(named_path(what, Path(where)))


def named_path(what: str, path: Path) -> Path:
    """The absolute path of a file or folder that the user named. Raises UsageError where it is not one line."""
    absolute = path.absolute()
    if not is_one_line(str(absolute)):
        raise UsageError(
            f"{what}: {printable(str(absolute))}: the path has a line break, a control character or a byte that is not "
            "UTF-8; rename it"
        )
    return absolute


def s3_place(where: str) -> S3Place:
    """The place that `s3://bucket` or `s3://bucket/prefix` names. Raises ValueError where it names no bucket."""
    bucket, _, prefix = where.removeprefix(_SCHEME).partition("/")
    if not bucket:
        raise ValueError(f"{where} names no bucket; write s3://bucket or s3://bucket/prefix")
    inside = prefix.strip("/")
    return S3Place(bucket, f"{inside}/" if inside else "")


def aws_session(profile_name: str | None = None) -> boto3.Session:
    """The session from which every client of a run comes: that of the named AWS profile or, without a name, of the
    environment. Raises UsageError where there is no such profile.
    """
    try:
        session = boto3.Session(profile_name=profile_name)
        # boto3 looks for the profile at once only where no environment variable says where AWS's models are
        if session.profile_name not in ("default", *session.available_profiles):
            raise ProfileNotFound(profile=session.profile_name)
    except BotoCoreError as error:
        raise UsageError(f"AWS: {error}") from error
    return session
