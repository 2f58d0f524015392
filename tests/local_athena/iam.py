"""IAM, as much of it as the deployed policies use: which statement allows or denies a call of an API."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

Policy = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """One action on one resource; `context` holds the condition keys that the request has."""

    action: str
    resource: str
    context: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@dataclass(frozen=True)
class Grant:
    """An action on a pattern of resources that a policy allows: what can be taken away."""

    policy: str
    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.policy}: {self.action} on {self.resource}"


@dataclass(frozen=True)
class _Rule:
    grant: Grant
    allows: bool
    condition: Mapping[str, Mapping[str, Any]]

    def fits(self, call: Call) -> bool:
        return (
            _matches(self.grant.action.lower(), call.action.lower())
            and _matches(self.grant.resource, call.resource)
            and all(_holds(operator, keys, call.context) for operator, keys in self.condition.items())
        )


class Role:
    """A principal with policies: it says which calls it may make, and remembers them all.

    `policies` are IAM's documents by name, without variables left in them. Raises ValueError for what is not known
    here, since a statement that is passed over would prove nothing.
    """

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._rules = [rule for name, policy in policies.items() for rule in _rules(name, policy)]
        self._lock = threading.Lock()
        self.calls: dict[Call, None] = {}
        """Every call so far, in order; the same call once."""
        self.denied: dict[Call, None] = {}

    @property
    def grants(self) -> list[Grant]:
        """All that the policies allow, an action on a resource each."""
        return [rule.grant for rule in self._rules if rule.allows]

    def without(self, grant: Grant) -> Role:
        """The same role without that grant, and without a memory."""
        role = Role({})
        role._rules = [rule for rule in self._rules if not (rule.allows and rule.grant == grant)]
        return role

    def may(self, call: Call) -> bool:
        """Whether a statement allows the call and none denies it."""
        fitting = [rule for rule in self._rules if rule.fits(call)]
        allowed = any(rule.allows for rule in fitting) and all(rule.allows for rule in fitting)
        with self._lock:
            (self.calls if allowed else self.denied)[call] = None
        return allowed

    def used(self) -> set[Grant]:
        """The grants without which a call so far would have been denied: no other one allows it."""
        allowing = (
            [rule.grant for rule in self._rules if rule.allows and rule.fits(call)] for call in list(self.calls)
        )
        return {grants[0] for grants in allowing if len(grants) == 1}


def rendered(files: Iterable[Path], values: Mapping[str, str]) -> dict[str, Policy]:
    """The policies in files, by name, with CloudFormation's ${variables} put in. Raises KeyError for an unknown one."""
    return {
        file.stem: json.loads(re.sub(r"\$\{([\w.:]+)\}", lambda name: values[name[1]], file.read_text()))
        for file in files
    }


def _rules(name: str, policy: Policy) -> Iterator[_Rule]:
    for statement in policy["Statement"]:
        unknown = statement.keys() - {"Sid", "Effect", "Action", "Resource", "Condition"}
        if unknown or statement["Effect"] not in ("Allow", "Deny"):
            raise ValueError(f"{name}: {statement.get('Sid')}: not known here: {unknown or statement['Effect']}")
        condition = statement.get("Condition", {})
        if odd := condition.keys() - _OPERATORS:
            raise ValueError(f"{name}: {statement.get('Sid')}: conditions not known here: {odd}")
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                yield _Rule(Grant(name, action, resource), statement["Effect"] == "Allow", condition)


_OPERATORS = {"StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"}


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """A key that the request does not have holds for none of these operators."""
    same = str.__eq__ if operator in ("StringEquals", "Bool") else _matches
    return all(key in context and any(same(value, context[key]) for value in _listed(keys[key])) for key in keys)


def _listed(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """IAM's wildcards: * is any text, ? is one character."""
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL)
