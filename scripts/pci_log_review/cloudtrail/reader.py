"""Reads delivered log files: hashes them, and splits them into their records without building them.

What is wrong with a file is decided here alone, whatever the target and whoever asks.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from isal import igzip, isal_zlib

from .deliveries import Delivery
from .store import MAX_BYTES, TOO_LARGE, LogStore, LogStoreError, read_ahead

MAX_OBJECTS = 4_000_000  # a real file has a few objects to the KB

_GZIP = b"\x1f\x8b"
_IsalError = cast(type[Exception], isal_zlib.error)  # the stubs take the class for one of its objects
_ESCAPED_LETTER_OF_RECORDS = re.compile(rb"\\u00(?:52|65|63|6[fF]|72|64|73)")
_CHUNK = 1 << 20


class UnreadableLogFile(Exception):
    """The file is not a whole CloudTrail log file; the text says what is wrong with it."""


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode = msgspec.json.Decoder(_LogFile).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass(frozen=True)
class Contents:
    """What is in a log file. Hashes are SHA-256 in hex.

    `sha256` is of the bytes as delivered, and None where they could not be read. `text_sha256` is of the JSON, as
    digests state it, and None where nobody asked or it can't be unpacked. `records` are each record's JSON text in
    UTF-8, in the file's order, and None where nobody asked or `problem` says why they can't be reviewed.
    """

    sha256: str | None = None
    text_sha256: str | None = None
    records: list[bytes] | None = None
    problem: str | None = None


def read_log_files(
    store: LogStore,
    files: Iterable[Delivery],
    is_named: Callable[[Delivery], bool],
    is_wanted: Callable[[Delivery], bool],
) -> Iterator[tuple[Delivery, Contents]]:
    """Each file with its contents, one after the other, each read once.

    `is_named` tells whether digests may name the file, so that the hash of its JSON is needed, and `is_wanted` whether
    its records are; where neither holds it is not unpacked.
    """

    def read(file: Delivery) -> bytes:
        if file.size > MAX_BYTES:
            raise LogStoreError(TOO_LARGE)
        return store.read(file.log_file)

    for file, found in read_ahead(read, files, lambda file: file.size):
        try:
            data = found.result()
        except LogStoreError as error:
            yield file, Contents(problem=str(error))
        else:
            yield file, _contents(file, data, is_named(file), is_wanted(file))


def _contents(file: Delivery, data: bytes, is_named: bool, is_wanted: bool) -> Contents:
    sha256, text_sha256 = hashlib.sha256(data).hexdigest(), None
    if not is_named and not is_wanted:
        return Contents(sha256)
    try:
        text = _unpacked(file.log_file, data)
        if is_named:
            text_sha256 = hashlib.sha256(text).hexdigest()
        records = _records(file.log_file, text) if is_wanted else None
    except UnreadableLogFile as error:
        return Contents(sha256, text_sha256, problem=str(error))
    return Contents(sha256, text_sha256, records)


def read_records(name: str, data: bytes) -> list[bytes]:
    """The records of a CloudTrail log file, each as its JSON text in UTF-8, in the file's order.

    `data` is the file as delivered: gzip, or plain JSON where `name` ends so. Raises UnreadableLogFile.
    The bytes of each record are checked to be one JSON object; what is in it is not looked at.
    """
    return _records(name, _unpacked(name, data))


def _unpacked(name: str, data: bytes) -> bytes | bytearray:
    if not data:
        raise UnreadableLogFile("is empty (0 bytes)")
    return uncompressed(data) if name.endswith(".gz") else data


def _records(name: str, text: bytes | bytearray) -> list[bytes]:
    _check_text(name, text)
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


def _check_text(name: str, text: bytes | bytearray) -> None:
    if not name.endswith((".json.gz", ".json")):
        raise UnreadableLogFile("is not named as a CloudTrail log file (.json.gz)")
    if len(text) > MAX_BYTES:
        raise UnreadableLogFile(f"holds more than {MAX_BYTES} bytes of JSON")
    if len(text) > len("{},") * MAX_OBJECTS and text.count(b"{") > MAX_OBJECTS:
        raise UnreadableLogFile(f"holds more than {MAX_OBJECTS} JSON objects")
    if not text.isascii():
        _check_utf8(text)


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


def uncompressed(data: bytes) -> bytearray:
    """The whole content of a gzip file, all its members, their checksums checked; a little more than MAX_BYTES where it
    has more.

    Raises UnreadableLogFile where it is damaged.
    """
    if data[:2] != _GZIP[: len(data)]:  # what is shorter than a header is said to be cut off
        raise UnreadableLogFile(f"gzip is damaged: Not a gzipped file ({data[:2]!r})")
    text = bytearray()
    try:
        with igzip.open(io.BytesIO(data)) as file:  # type: ignore[no-untyped-call]
            while len(text) <= MAX_BYTES and (piece := file.read(_CHUNK)):
                text += piece
    except EOFError as error:
        raise UnreadableLogFile("gzip is cut off before its end") from error
    except (OSError, _IsalError) as error:
        raise UnreadableLogFile(f"gzip is damaged: {error}") from error
    return text


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
