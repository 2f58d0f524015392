"""Reads values out of long JSON texts, one after the other.

DuckDB's own functions keep what they parsed of some thousand rows until they have gone through them all: of requests
with a hundred kB of parameters that takes more memory than there is.
"""

from __future__ import annotations

import re

import msgspec

_decode_value = msgspec.json.Decoder(dict[str, msgspec.Raw] | list[msgspec.Raw]).decode
_STEP = re.compile(r"\.([^.\[]+)|\[([0-9]+)\]")


def json_texts(json: str, paths: list[str]) -> list[str | None]:
    """For each path, such as $.a.b[0], the text, number or boolean there; None where there is none, as with DuckDB's
    json_value.
    """
    try:
        top = _decode_value(json)
    except (msgspec.DecodeError, RecursionError):
        return [None] * len(paths)
    return [_text(top, path) for path in paths]


def _text(value: dict[str, msgspec.Raw] | list[msgspec.Raw], path: str) -> str | None:
    found: msgspec.Raw | None = None
    for name, index in _STEP.findall(path):
        if found is not None:
            try:
                value = _decode_value(found)
            except msgspec.ValidationError:  # a scalar
                return None
        if isinstance(value, dict):
            found = value.get(name) if name else None
        else:
            found = value[int(index)] if index and int(index) < len(value) else None
        if found is None:
            return None
    raw = bytes(found or b"")
    if raw[:1] == b'"':
        return msgspec.json.decode(raw, type=str)
    return None if raw[:1] in (b"{", b"[", b"") or raw == b"null" else raw.decode()
