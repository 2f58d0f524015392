"""Places in S3, and the identity by which AWS is asked."""

from __future__ import annotations

from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ProfileNotFound

from .errors import UsageError

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


def place_of_logs(where: str) -> str:
    """The place of the logs as the user named it. Raises UsageError where it is neither s3://… nor a folder, but the
    address of a bucket in another form.
    """
    if where.startswith(("arn:", f"{_SCHEME}arn:")):
        raise UsageError(
            f"logs: {where} is an ARN; write s3://bucket/prefix, or an access point's alias in place of bucket"
        )
    scheme, mark, rest = where.partition("://")
    if mark and scheme != "s3":
        meant = rest if scheme.lower() in ("s3", "s3a", "s3n") else "bucket/prefix"
        raise UsageError(f"logs: {where} is neither a folder nor s3://bucket/prefix; write s3://{meant}")
    return where


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
