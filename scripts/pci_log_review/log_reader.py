"""Checks one delivered log file and splits it into its records, without building them."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from typing import Any

import deflate
import msgspec

MAX_UNCOMPRESSED_BYTES = 1 << 30
_GZIP_MEMBER = b"\x1f\x8b\x08"


class UnreadableLogFile(Exception):
    """The file is not a whole CloudTrail log file; the text says what is wrong with it."""


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode = msgspec.json.Decoder(_LogFile).decode


def read_records(name: str, data: bytes) -> list[bytes]:
    """The records of a CloudTrail log file, each as its JSON text in UTF-8, in the file's order.

    `data` is the file as delivered: gzip, or plain JSON where `name` ends so. Raises UnreadableLogFile.
    The bytes of each record are checked to be one JSON object; what is in it is not looked at.
    """
    if not data:
        raise UnreadableLogFile("is empty (0 bytes)")
    text = _text(name, data)
    try:
        records = [bytes(record) for record in _decode(text).Records]
    except (msgspec.DecodeError, RecursionError) as error:
        raise UnreadableLogFile(_not_a_log_file(text, error)) from error
    for number, record in enumerate(records, 1):
        if record[:1] != b"{":
            raise UnreadableLogFile(f"record {number} of {len(records)} is not a JSON object")
    if text.count(b'"Records"') > 1:
        _refuse_two_lists(text)
    return records


def _text(name: str, data: bytes) -> bytes | bytearray:
    if name.endswith(".json.gz"):
        text = _uncompressed(data)
    elif name.endswith(".json"):
        text = data
    else:
        raise UnreadableLogFile("is not named as a CloudTrail log file (.json.gz)")
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            raise UnreadableLogFile(f"is not UTF-8: {error.reason} at byte {error.start}") from error
    return text


def _uncompressed(data: bytes) -> bytes | bytearray:
    """The whole content of a gzip file, its checksum checked; never more than MAX_UNCOMPRESSED_BYTES."""
    stated = int.from_bytes(data[-4:], "little")
    # libdeflate reads the first member only, so only files that surely have one take the fast way
    if stated <= MAX_UNCOMPRESSED_BYTES and data.find(_GZIP_MEMBER, 1) == -1:
        try:
            text = deflate.gzip_decompress(data)
        except (deflate.DeflateError, ValueError):
            pass  # gzip names what is wrong
        else:
            if len(text) == stated:
                return text
    try:
        with gzip.open(io.BytesIO(data)) as file:
            text = file.read(MAX_UNCOMPRESSED_BYTES + 1)
    except EOFError as error:
        raise UnreadableLogFile("gzip is cut off before its end") from error
    except (OSError, zlib.error) as error:
        raise UnreadableLogFile(f"gzip is damaged: {error}") from error
    if len(text) > MAX_UNCOMPRESSED_BYTES:
        raise UnreadableLogFile(f"holds more than {MAX_UNCOMPRESSED_BYTES} bytes of JSON")
    return text


def _not_a_log_file(text: bytes | bytearray, error: Exception) -> str:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return f"is not JSON: {error}"
    if isinstance(content, dict) and "digestEndTime" in content:
        return "is a digest file, not a log file"
    if isinstance(content, dict) and "Records" not in content:
        return "has no Records: it is not a CloudTrail log file"
    return f"is not a CloudTrail log file: {error}"


def _refuse_two_lists(text: bytes | bytearray) -> None:
    # Of two equal keys readers take the first or the last one: either way events would be lost.
    objects: list[list[tuple[str, Any]]] = []

    def keep_last(pairs: list[tuple[str, Any]]) -> None:
        objects[:] = [pairs]

    json.loads(text, object_pairs_hook=keep_last)
    if [key for key, _ in objects[0]].count("Records") > 1:
        raise UnreadableLogFile("has Records twice; it is unclear which one is meant")
