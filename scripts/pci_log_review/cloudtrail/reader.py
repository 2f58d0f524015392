"""Reads delivered log files: hashes them, and splits them into their records without building them.

What is wrong with a file is decided here alone, whatever the target and whoever asks. A record that is not as
CloudTrail writes it is named, and keeps none of the file's other records from being reviewed.
"""

from __future__ import annotations

import codecs
import hashlib
import io
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import msgspec
import numpy as np
from isal import igzip, isal_zlib

from .deliveries import Delivery
from .records import Records
from .salvage import MAX_RECORD_BYTES, BadRecords, record_name, reviewable, take_apart
from .store import MAX_BYTES, TOO_LARGE, LogStore, LogStoreError, read_ahead

MAX_OBJECTS = 4_000_000  # a real file has a few objects to the KB

_GZIP = b"\x1f\x8b"
_IsalError = cast(type[Exception], isal_zlib.error)  # the stubs take the class for one of its objects
_CHUNK = 1 << 20

_BRACE = ord("{")
_BEGIN, _END = b'{"Records":[', b"]}"
# What stands before and behind the list of records in a file that has nothing else.
_BEFORE_RECORDS = re.compile(rb'\s*\{\s*"Records"\s*:\s*')
_BEHIND_RECORDS = re.compile(rb"\s*\}\s*")


class UnreadableLogFile(Exception):
    """The file is not a CloudTrail log file, or can't be unpacked; the text says what is wrong with it."""


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


class _AnyFile(msgspec.Struct):
    Records: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    digestEndTime: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_LogFile).decode
_decode_any = msgspec.json.Decoder(_AnyFile).decode


@dataclass(frozen=True)
class Contents:
    """What is in a log file. Hashes are SHA-256 in hex.

    `sha256` is of the bytes as delivered, and None where they could not be read. `text_sha256` is of the JSON, as
    digests state it, and None where nobody asked or it can't be unpacked. `records` are each record's JSON text in
    UTF-8, in the file's order, and None where nobody asked or the file can't be read. `problem` says why, or what is
    wrong with the file or some of its records, which does not keep the others from being reviewed.
    """

    sha256: str | None = None
    text_sha256: str | None = None
    records: Records | None = None
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
    records, problem = None, None
    try:
        text = _unpacked(file.log_file, data)
        if is_named:
            text_sha256 = hashlib.sha256(text).hexdigest()
        if is_wanted:
            records, problem = _records(file.log_file, text)
    except UnreadableLogFile as error:
        return Contents(sha256, text_sha256, problem=str(error))
    return Contents(sha256, text_sha256, records, problem)


def read_records(name: str, data: bytes) -> tuple[Records, str | None]:
    """The records of a CloudTrail log file, each as its JSON text in UTF-8, in the file's order, and what is wrong with
    the file or with some of them.

    `data` is the file as delivered: gzip, or plain JSON where `name` ends so. Raises UnreadableLogFile. Each of the
    records is a JSON object of at most MAX_RECORD_BYTES; what is in it is not looked at.
    """
    return _records(name, _unpacked(name, data))


def _unpacked(name: str, data: bytes) -> bytes | bytearray:
    if not data:
        raise UnreadableLogFile("is empty (0 bytes)")
    return uncompressed(data) if name.endswith(".gz") else data


def _records(name: str, text: bytes | bytearray) -> tuple[Records, str | None]:
    _check_bounds(name, text)
    # Records and anything beside them: a value has a byte and a comma
    may_be_long = len(text) > len("1,") * 2 * MAX_OBJECTS and text.count(b",") > 2 * MAX_OBJECTS
    # a list of millions of values would fill the memory before anything can be told of them
    if _fault_in_utf8(text) is None and not may_be_long:
        try:
            records = _decode(text).Records
        except (msgspec.DecodeError, RecursionError):
            pass
        else:
            found = _in_place(text, records)
            if found is None and _holds_one_list(text):
                found = Records.of(records)
            if found is not None:
                return (found, None) if _are_objects(found) else _reviewable(records)
    salvaged = take_apart(text)
    if not salvaged.lists:
        raise UnreadableLogFile(_not_a_log_file(text))
    return Records.of(salvaged.records), salvaged.problem or _fault_of(text)


def _in_place(text: bytes | bytearray, records: list[msgspec.Raw]) -> Records | None:
    """Where the records lie in a file that has nothing but them, without a blank; None where anything is otherwise."""
    sizes = np.fromiter(map(len, records), np.int64, len(records))
    if len(text) != sizes.sum() + max(len(records) - 1, 0) + len(_BEGIN + _END):
        return None  # any other way to write them takes more room
    return Records(text, np.cumsum(sizes + len(",")) - sizes - len(",") + len(_BEGIN), sizes)


def _are_objects(records: Records) -> bool:
    """Whether all are JSON objects that are not too large, since they are JSON."""
    if not len(records):
        return True
    first_bytes = np.frombuffer(records.text, np.uint8)[records.begins]
    return bool(records.sizes.max() <= MAX_RECORD_BYTES and (first_bytes == _BRACE).all())


def _reviewable(records: list[msgspec.Raw]) -> tuple[Records, str | None]:
    kept, bad = list[bytes](), BadRecords()
    for number, record in enumerate(records, 1):
        reviewed, fault = reviewable(record)
        if fault:
            bad.add(record_name(number, record), fault)
        if reviewed is not None:
            kept.append(reviewed)
    return Records.of(kept), bad.told(len(records))


def _holds_one_list(text: bytes | bytearray) -> bool:
    """Whether the file, which is JSON, holds nothing but one list of records, with or without blanks."""
    found = _decode_any(text).Records
    begin = text.find(b"[")
    return bool(
        not isinstance(found, msgspec.UnsetType)
        and _BEFORE_RECORDS.fullmatch(text, 0, begin)
        and _BEHIND_RECORDS.fullmatch(text, begin + len(found))
    )


def _check_bounds(name: str, text: bytes | bytearray) -> None:
    if not name.endswith((".json.gz", ".json")):
        raise UnreadableLogFile("is not named as a CloudTrail log file (.json.gz)")
    if len(text) > MAX_BYTES:
        raise UnreadableLogFile(f"is too large to review: it holds more than {MAX_BYTES} bytes of JSON")
    if len(text) > len("{},") * MAX_OBJECTS and text.count(b"{") > MAX_OBJECTS:
        raise UnreadableLogFile(f"is too large to review: it holds more than {MAX_OBJECTS} JSON objects")


def _fault_in_utf8(text: bytes | bytearray) -> str | None:
    if text.isascii():
        return None
    if text.startswith(codecs.BOM_UTF8):
        return "it begins with a byte order mark"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with memoryview(text) as view:
            # in pieces, because a whole str can be four times as large as its bytes
            for start in range(0, len(view), _CHUNK):
                decoder.decode(view[start : start + _CHUNK])
            decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        return error.reason
    return None


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


def _fault_of(text: bytes | bytearray) -> str | None:
    try:
        _decode(text)
    except msgspec.DecodeError as error:
        return f"is not JSON: {error}"
    return None


def _not_a_log_file(text: bytes | bytearray) -> str:
    if fault := _fault_in_utf8(text.removeprefix(codecs.BOM_UTF8)):
        return f"is not UTF-8: {fault}"
    try:
        _decode(text)
    except RecursionError:
        return "is nested too deeply to be a CloudTrail log file"
    except msgspec.DecodeError as error:
        reason = error
    else:
        return "is not a CloudTrail log file"
    try:
        content = _decode_any(text)
    except msgspec.ValidationError:
        return f"is not a CloudTrail log file: {reason}"
    except msgspec.DecodeError as malformed:
        return f"is not JSON: {malformed}"
    if content.digestEndTime is not msgspec.UNSET:
        return "is a digest file, not a log file"
    if content.Records is msgspec.UNSET:
        return "has no Records: it is not a CloudTrail log file"
    return f"is not a CloudTrail log file: {reason}"
