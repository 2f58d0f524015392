"""Athena's result sets are text: how it writes each value and describes each column."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .trino_client import Column

_NAMES = {"real": "float", "row": "row", "map": "map", "array": "array"}


def column_info(column: Column) -> dict[str, Any]:
    """A ColumnInfo of ResultSetMetadata."""
    precision, scale = 0, 0
    arguments = [a["value"] for a in column.signature.get("arguments", ()) if a["kind"] == "LONG"]
    if column.type == "decimal":
        precision, scale = arguments
    elif column.type in ("varchar", "char"):
        precision = arguments[0] if arguments else 2147483647
    elif column.type.startswith("timestamp"):
        precision = 3
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": _NAMES.get(column.type, column.type),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": column.type in ("varchar", "char"),
    }


def row_texts(row: Sequence[Any], columns: Sequence[Column]) -> list[str | None]:
    """A row of Trino's JSON as Athena's texts; None is NULL."""
    return [
        None if value is None else _text(value, column.signature) for value, column in zip(row, columns, strict=True)
    ]


def csv_line(row: Sequence[str | None]) -> str:
    """A line of the result file: every value in quotes, NULL as nothing."""
    return ",".join("" if value is None else '"' + value.replace('"', '""') + '"' for value in row)


def _text(value: Any, signature: Mapping[str, Any]) -> str:
    if value is None:
        return "null"
    name = signature["rawType"]
    parts = [a["value"] for a in signature.get("arguments", ())]
    nested: dict[str, Callable[[], str]] = {
        "boolean": lambda: str(value).lower(),
        "varbinary": lambda: base64.b64decode(value).hex(" "),
        "array": lambda: "[" + ", ".join(_text(v, parts[0]) for v in value) + "]",
        "map": lambda: "{" + ", ".join(f"{k}={_text(v, parts[1])}" for k, v in value.items()) + "}",
        "row": lambda: "{" + ", ".join(_field(v, part) for v, part in zip(value, parts, strict=True)) + "}",
        "timestamp": lambda: _milliseconds(value),
    }
    return nested[name]() if name in nested else str(value)


def _field(value: Any, part: Mapping[str, Any]) -> str:
    name = (part.get("fieldName") or {}).get("name", "")
    return f"{name}={_text(value, part['typeSignature'])}"


def _milliseconds(value: str) -> str:
    """Athena shows at least milliseconds."""
    whole, _, fraction = value.partition(".")
    return f"{whole}.{fraction.ljust(3, '0')}"
