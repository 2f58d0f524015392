"""Who may be named in the settings: a principal's kind, account and name, and how lines of the old form read now.

Until 0.2 a principal was a LIKE pattern for an ARN, which session names, IAM paths and user names could imitate.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from ipaddress import IPv6Network, ip_network

ANY_ACCOUNT = "any account in scope"
KINDS = (
    "root", "user", "role", "permission set", "federated user", "identity center user", "service", "account",
)  # fmt: skip
ADMINISTRATOR_KINDS = (*KINDS[1:], "source identity")
_WHOLE_NAMES = ("root", "service", "account", "identity center user")
_LONGEST_DAYS = 400  # 13 months: an approval is looked at again every year
_FIRST_DAY = date(2006, 1, 1)  # AWS is not older
_SHORTEST = {"principal_name": 4, "resource": 4, "event_name": 3}  # characters besides %

OLD_HEADERS = {
    "administrators": ["principal", "description"],
    "expected_activity": [
        "requirement", "principal", "event_source", "event_name", "resource", "reason", "approved_by", "approved_on",
        "expires_on",
    ],
}  # fmt: skip
_OLD_PRINCIPAL = re.compile(
    r"(?:%|arn:[^:]*:(?:iam|sts|%):[^:]*:(?P<account>[^:]*))?:?"
    r"(?P<kind>assumed-role|role|user|federated-user|root)(?:/(?P<name>.*))?"
)


def account(value: str) -> str | None:
    """What is wrong with the account of a principal."""
    if value == ANY_ACCOUNT or re.fullmatch(r"[0-9]{12}", value):
        return None
    return f"{value!r} is neither an account id of 12 digits nor '{ANY_ACCOUNT}'"


def networks(value: str) -> str | None:
    """What is wrong with a list of networks."""
    for name in value.split(" ") if value else []:
        try:
            network = ip_network(name)
        except ValueError:
            return f"{name!r} is not a network such as 198.51.100.0/24; write several with one blank between them"
        if "/" not in name or network.prefixlen == 0:
            return f"{name!r} is not a network such as 198.51.100.0/24, smaller than all addresses"
        if isinstance(network, IPv6Network) and network.prefixlen % 4:
            return f"{name!r}: the length of an IPv6 prefix has to be a multiple of 4"
    return None


def service(value: str) -> str | None:
    """What is wrong with the service that was called."""
    if value == "%" or re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", value):
        return None
    return f"{value!r} is neither a service such as s3.amazonaws.com nor %"


def event(value: str) -> str | None:
    """What is wrong with the name of an event."""
    if value == "%" or len(value.replace("%", "")) >= _SHORTEST["event_name"]:
        return None
    return f"{value!r} is too broad: name an event, or {_SHORTEST['event_name']} characters of it, or % for any"


def resource(value: str) -> str | None:
    """What is wrong with the name of a resource."""
    name = value.removesuffix("%")
    if value == "%" or (name and "%" not in name and (name == value or len(name) >= _SHORTEST["resource"])):
        return None
    return (
        f"{value!r} is too broad: name what the event affects from its beginning, such as a bucket; % may stand at "
        f"the end, after {_SHORTEST['resource']} characters"
    )


def administrator_faults(row: dict[str, str]) -> Iterator[str]:
    """What is wrong with the principal of a line of administrators: a pattern may begin with %."""
    name = row["principal_name"]
    if row["principal_kind"] in _WHOLE_NAMES and "%" in name:
        yield f"principal_name: {name!r} has to be a whole name, for a {row['principal_kind']}"
    elif "%" in name and len(re.sub("[%_]", "", name)) < _SHORTEST["principal_name"]:
        yield f"principal_name: {name!r} is too broad: write {_SHORTEST['principal_name']} characters of the name"


def expected_faults(row: dict[str, str]) -> Iterator[str]:
    """What is wrong with a line of expected_activity as a whole; its cells are right by themselves."""
    kind, name = row["principal_kind"], row["principal_name"]
    if kind == "root" and (
        name != "root" or row["principal_account"] == ANY_ACCOUNT or "%" in row["event_source"] + row["event_name"]
    ):
        yield "a line for root has to name its account, root, the service and the event, without %"
    elif kind in _WHOLE_NAMES and "%" in name:
        yield f"principal_name: {name!r} is too broad: of kind {kind}, it has to be a whole name"
    elif "%" in name[: _SHORTEST["principal_name"]]:
        shortest = _SHORTEST["principal_name"]
        yield f"principal_name: {name!r} is too broad: write at least its first {shortest} characters"
    if {row["event_source"], row["event_name"], row["resource"]} == {"%"}:
        yield "would expect whatever the principal does; name a service, an event or a resource"
    first, last = (date.fromisoformat(row[name]) for name in ("approved_on", "expires_on"))
    if last < first:
        yield f"expires_on: {last} is before approved_on {first}"
    elif (last - first).days > _LONGEST_DAYS:
        yield f"expires_on: {last} is more than {_LONGEST_DAYS} days after approved_on {first}: approve it for less"
    if first < _FIRST_DAY:
        yield f"approved_on: {first} is before {_FIRST_DAY}"


def read_now(file: str, cells: list[str]) -> list[str] | None:
    """The cells that say now what a line of the old form was meant to say; None where nobody can tell who is meant."""
    if len(cells) != len(OLD_HEADERS[file]):
        return None
    row = dict(zip(OLD_HEADERS[file], cells, strict=True))
    named = _named_now(row["principal"])
    if named is None:
        return None
    if file == "administrators":
        return [*named, row["description"]]
    return [
        *(row["requirement"], *named, "", _whole_service(row["event_source"]), row["event_name"]),
        *(_resource_now(row["resource"]), row["reason"], row["approved_by"], row["approved_on"], row["expires_on"]),
    ]


def _named_now(principal: str) -> tuple[str, str, str] | None:
    """Kind, account and name."""
    if re.fullmatch(r"%?[a-z0-9.-]+\.amazonaws\.com", principal) and not principal.startswith("%."):
        return "service", ANY_ACCOUNT, principal.removeprefix("%")
    found = _OLD_PRINCIPAL.fullmatch(principal)
    if not found:
        return None
    kind, parts = found["kind"], (found["name"] or "").split("/")
    owner = found["account"] or ""
    owner = owner if re.fullmatch(r"[0-9]{12}", owner) else ANY_ACCOUNT
    if kind == "root":
        return "root", owner, "root"
    # a role's session has its name after that of the role; all others have a path before
    name = parts[0] if kind == "assumed-role" else parts[-1]
    if reserved := re.fullmatch(r"AWSReservedSSO_(.+)_[^_]*", name):
        return "permission set", owner, reserved[1]
    kinds = {"assumed-role": "role", "role": "role", "user": "user"}
    if kind not in kinds or not name.strip("%_"):
        return None
    return kinds[kind], owner, name


def _whole_service(pattern: str) -> str:
    return pattern.removeprefix("%") if pattern != "%" else pattern


def _resource_now(pattern: str) -> str:
    """A pattern for a text becomes the name itself; one that ends within a name stays the beginning of one."""
    name = pattern.strip("%").removesuffix("/")
    if not name:
        return "%"
    return f"{name}%" if pattern.endswith("%") and name.endswith(("-", "_", ".")) else name
