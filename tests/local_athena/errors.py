"""The three ways in which something goes wrong here."""

from __future__ import annotations


class LocalAthenaUnavailable(RuntimeError):
    """This machine lacks something (Java, Maven, a download); the message says in one line what to do."""


class ApiError(Exception):
    """An API call is refused before anything runs, with the code and the text that AWS uses."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class QueryFailed(Exception):
    """A query ended in FAILED: what Athena shows as StateChangeReason and AthenaError."""

    def __init__(self, reason: str, category: int = 2, error_type: int = 1006) -> None:
        super().__init__(reason)
        self.reason = reason
        self.category = category
        self.error_type = error_type


DENIED = "is not authorized to perform: glue:"
"""What a refusal by Glue contains."""


def not_authorized(account: str, action: str, resource: str) -> str:
    """How AWS refuses a call: one line with its action and its resource."""
    return (
        f"User: arn:aws:iam::{account}:user/local is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )


def as_athena_denies(message: str) -> str:
    """A refusal by Glue with the ending that Athena gives it."""
    details = "Service: AmazonDataCatalog; Status Code: 400; Error Code: AccessDeniedException; Proxy: null"
    return f"{message.split(' (Service: ')[0]} ({details})"
