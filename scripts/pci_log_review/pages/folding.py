"""What is alike in findings that differ in a session's name or a resource's id alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

Row = Mapping[str, str]

_FOLDED = "…"
_PERMISSION_SET = "permission set"
# of an ARN or a name: parts in which a digit stands among hex digits, UUIDs, long numbers, and dates
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"(?<!\d)20\d\d[-/]?[01]\d(?:[-/]?[0-3]\d)?(?:T[\d:.]+Z?)?(?!\d)")
_HEX = re.compile(r"(?<![0-9A-Za-z])(?=[0-9a-f]*\d)[0-9a-f]{8,}(?![0-9A-Za-z])", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{5,}(?![0-9A-Za-z])")
# the ids of AWS's own: AKIA…, AROA…, and what CloudFormation and Secrets Manager put at the end of a name
_UNIQUE_ID = re.compile(r"(?<![0-9A-Za-z])A[A-Z]{3}[A-Z0-9]{12,}(?![0-9A-Za-z])")
_MIXED = "(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*[a-z0-9])[A-Za-z0-9]{6}"
_SUFFIX = re.compile(rf"(?<=[-_])(?:(?=[A-Z]*\d)[A-Z0-9]{{8,}}|{_MIXED})$")
_IDS = (_UUID, _DATE, _UNIQUE_ID, _HEX, _NUMBER, _SUFFIX)
_OBJECT = re.compile(r"(arn:[^:]*:s3:::[^/]+/).+", re.DOTALL)
_ARN = re.compile(r"(arn:[^:]*:[^:]*:[^:]*):([^:]*):(.*)", re.DOTALL)


def actor_of(row: Row) -> str:
    """Who acted: `role example-pay-ci-deploy`. The name of a role's session, which callers choose, is left out; that of
    a permission set's is the person whom Identity Center let in: `permission set ReadOnly (a.person@example.com)`.
    """
    kind, name = row.get("principal_kind", ""), row.get("principal_name", "")
    if kind == "root":
        return "an AWS service as root" if row.get("actor_is_service") == "true" else "root"
    if kind in ("", "unknown") or not name:  # evidence of earlier versions has no kind
        return row.get("actor_name", "").partition("/")[0] or row.get("actor_arn", "") or "somebody unknown"
    person = session_of(row) if kind == _PERMISSION_SET else ""
    return f"{kind} {name} ({person})" if person else f"{kind} {name}"


def session_of(row: Row) -> str:
    """The name of the session in which the call was made; empty where there is none."""
    if row.get("principal_kind") == "root":  # one that root issued
        return row.get("actor_name", "") if row.get("actor_type") == "FederatedUser" else ""
    return row.get("actor_name", "").partition("/")[2]


@lru_cache(1 << 16)
def resource_kind(resource: str) -> str:
    """The resource with its ids and random suffixes folded: `i-…`; for an object in S3 its bucket alone."""
    if found := _OBJECT.fullmatch(resource):
        return f"{found[1]}{_FOLDED}"
    before, folded = "", resource
    if found := _ARN.fullmatch(resource):  # an account is no random id
        before, folded = f"{found[1]}:{found[2]}:", found[3]
    for ids in _IDS:
        folded = ids.sub(_FOLDED, folded)
    return before + folded
