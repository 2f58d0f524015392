"""Checks one delivered log file and splits it into its records, without building them."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from typing import Any

import deflate
import msgspec

# CloudTrail's files have some tens of MB and a few objects to the KB; what is far above is refused, so that one file
# can't use up the memory that the others need.
MAX_BYTES = 1 << 29
MAX_OBJECTS = 4_000_000

_GZIP_MEMBER = b"\x1f\x8b\x08"
_ESCAPED_LETTER_OF_RECORDS = re.compile(rb"\\u00(?:52|65|63|6[fF]|72|64|73)")
_CHUNK = 1 << 20


class UnreadableLogFile(Exception):
    """The file is not a whole CloudTrail log file; the text says what is wrong with it."""


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode = msgspec.json.Decoder(_LogFile).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


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
    room = len(text) - sum(map(len, records)) - len(records) - len('{"Records":[]}')
    if room >= len('"Records":1') and (text.count(b'"Records"') > 1 or _ESCAPED_LETTER_OF_RECORDS.search(text)):
        _refuse_two_lists(text)
    return records


def _text(name: str, data: bytes) -> bytes | bytearray:
    if name.endswith(".json.gz"):
        text = uncompressed(data)
    elif name.endswith(".json"):
        text = data
    else:
        raise UnreadableLogFile("is not named as a CloudTrail log file (.json.gz)")
    if len(text) > MAX_BYTES:
        raise UnreadableLogFile(f"holds more than {MAX_BYTES} bytes of JSON")
    if len(text) > len("{},") * MAX_OBJECTS and text.count(b"{") > MAX_OBJECTS:
        raise UnreadableLogFile(f"holds more than {MAX_OBJECTS} JSON objects")
    if not text.isascii():
        _check_utf8(text)
    return text


def _check_utf8(text: bytes | bytearray) -> None:
    if text.startswith(codecs.BOM_UTF8):
        raise UnreadableLogFile("begins with a byte order mark, so it is not as CloudTrail wrote it")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with memoryview(text) as view:
            # in pieces, because a whole str can be four times as large as its bytes
            for start in range(0, len(view), _CHUNK):
                decoder.decode(view[start : start + _CHUNK])
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UnreadableLogFile(f"is not UTF-8: {error.reason}") from error


def uncompressed(data: bytes) -> bytes | bytearray:
    """The whole content of a gzip file, its checksum checked; a little more than MAX_BYTES where it has more.

    Raises UnreadableLogFile where it is damaged.
    """
    stated = int.from_bytes(data[-4:], "little")
    # libdeflate reads the first member only, so only files that surely have one take the fast way
    if 0 < stated <= MAX_BYTES and data.find(_GZIP_MEMBER, 1) == -1:
        try:
            text = deflate.gzip_decompress(data)
        except (deflate.DeflateError, ValueError):
            pass  # gzip names what is wrong
        else:
            if len(text) == stated:
                return text
    try:
        with gzip.open(io.BytesIO(data)) as file:
            return file.read(MAX_BYTES + 1)
    except EOFError as error:
        raise UnreadableLogFile("gzip is cut off before its end") from error
    except (OSError, zlib.error) as error:
        raise UnreadableLogFile(f"gzip is damaged: {error}") from error


def _not_a_log_file(text: bytes | bytearray, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "is nested too deeply to be a CloudTrail log file"
    try:
        content = _decode_object(text)
    except msgspec.ValidationError:
        return f"is not a CloudTrail log file: {error}"
    except msgspec.DecodeError as malformed:
        return f"is not JSON: {malformed}"
    if "digestEndTime" in content:
        return "is a digest file, not a log file"
    if "Records" not in content:
        return "has no Records: it is not a CloudTrail log file"
    return f"is not a CloudTrail log file: {error}"


def _refuse_two_lists(text: bytes | bytearray) -> None:
    # Of two equal keys readers take the first or the last one: either way events would be lost.
    objects: list[list[tuple[str, Any]]] = []

    def keep_last(pairs: list[tuple[str, Any]]) -> None:
        objects[:] = [pairs]

    def no_number(_: str) -> None: ...

    try:
        json.loads(text, object_pairs_hook=keep_last, parse_int=no_number, parse_float=no_number)
    except RecursionError as error:
        raise UnreadableLogFile(_not_a_log_file(text, error)) from error
    if [key for key, _ in objects[0]].count("Records") > 1:
        raise UnreadableLogFile("has Records twice; it is unclear which one is meant")
