"""Requests as AWS's own models (botocore) describe them, in which one member after the other names a store."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, Shape

# Of a name in the log, where botocore has another one.
_SERVICES = {
    "amazonmq.amazonaws.com": ("mq",),
    "rdsdata.amazonaws.com": ("rds-data",),
    "s3express.amazonaws.com": ("s3",),
    "s3-object-lambda.amazonaws.com": ("s3",),
    "dax.amazonaws.com": ("dynamodb",),
}
_DEEPEST = 4
# What a caller writes freely, and by which no store is named (macros/events/names_in_json.sql).
_FREE_TEXT = re.compile(
    "key|host|prefix|delimiter|marker|range|uploadid|versionid|description|[a-z]*message[a-z]*|[a-z-]*token"
    "|[a-z]*encryptioncontext[a-z]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Request:
    """A call whose request names a store in the member at `path`, and nowhere else."""

    event_source: str
    event_name: str
    path: str
    parameters: dict[str, Any]


def requests_of(event_source: str, event_name: str, store: str) -> Iterator[Request]:
    """A request for each text of the operation's input; none where botocore doesn't know the operation."""
    for operation in _operations(event_source).get(_without_version(event_name), ()):
        if operation.input_shape is not None:
            for path, parameters in _with_one_text(operation.input_shape, store, _DEEPEST):
                yield Request(event_source, event_name, path, parameters)


def members_of(event_source: str, event_name: str) -> set[str]:
    """The names of all members of an operation's input, at any depth, in lower case."""
    shapes = [one.input_shape for one in _operations(event_source).get(event_name, ()) if one.input_shape is not None]
    seen: dict[str, Shape] = {}
    found: set[str] = set()
    while shapes:
        shape: Any = shapes.pop()
        if shape.name in seen:
            continue
        seen[shape.name] = shape
        if shape.type_name == "structure":
            found |= {name.lower() for name in shape.members}
            shapes += shape.members.values()
        elif shape.type_name in ("list", "map"):
            shapes.append(shape.member if shape.type_name == "list" else shape.value)
    return found


def _with_one_text(shape: Any, text: str, depth: int) -> Iterator[tuple[str, Any]]:
    """A value of the shape for each place in it that can hold the text."""
    if shape.type_name == "string" and not getattr(shape, "enum", None):
        yield "", text
    elif depth and shape.type_name == "list":
        for path, value in _with_one_text(shape.member, text, depth):
            yield path, [value]
    elif depth and shape.type_name == "map":
        for path, value in _with_one_text(shape.value, text, depth - 1):
            yield path, {"any": value}
    elif depth and shape.type_name == "structure":
        for name, member in shape.members.items():
            if not _FREE_TEXT.fullmatch(name):
                for path, value in _with_one_text(member, text, depth - 1):
                    yield f"{name}.{path}".rstrip("."), {_as_logged(name): value}


def _as_logged(member: str) -> str:
    return "bucketName" if member == "Bucket" else member[0].lower() + member[1:]


def _without_version(event_name: str) -> str:
    return re.sub("(20[0-9]{2}_?[0-9]{2}_?[0-9]{2}(v[0-9])?)$", "", event_name)


@cache
def _operations(event_source: str) -> dict[str, list[OperationModel]]:
    found: dict[str, list[OperationModel]] = defaultdict(list)
    session = botocore.session.get_session()
    for service in _SERVICES.get(event_source) or _services_by_prefix()[event_source.partition(".")[0]]:
        model = session.get_service_model(service)
        for name in model.operation_names:
            found[_without_version(name)].append(model.operation_model(name))
    return found


@cache
def _services_by_prefix() -> dict[str, list[str]]:
    session = botocore.session.get_session()
    by_prefix: dict[str, list[str]] = defaultdict(list)
    for service in session.get_available_services():
        model = session.get_service_model(service)
        for prefix in {model.endpoint_prefix, model.signing_name, service}:
            by_prefix[prefix].append(service)
    return by_prefix
