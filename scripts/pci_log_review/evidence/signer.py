"""Who signs: not only the name that a person gives, but the account by which the command ran."""

from __future__ import annotations

import os
import pwd
import socket

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ..common.aws import aws_session, is_s3
from ..common.errors import UsageError

_SECONDS = 5


def signer(where: str) -> dict[str, str | None]:
    """The operating system's user (by its number, not by what the environment says), the host and, where the evidence
    at `where` is in S3, the AWS principal that writes there: its ARN, or why that is not known.
    """
    number = os.getuid()
    try:
        user = pwd.getpwuid(number).pw_name
    except KeyError:
        user = f"uid {number}"
    return {"os_user": user, "host": socket.gethostname(), "aws_caller": _aws_caller() if is_s3(where) else None}


def _aws_caller() -> str:
    quick = Config(connect_timeout=_SECONDS, read_timeout=_SECONDS, retries={"total_max_attempts": 2})
    try:
        return aws_session().client("sts", config=quick).get_caller_identity()["Arn"]
    except (BotoCoreError, ClientError, UsageError) as error:
        return f"not known: {type(error).__name__}"
