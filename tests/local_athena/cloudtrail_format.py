"""CloudTrail's input format: Trino has none, so it is shown each log file as lines of JSON, one for each record.

Glue keeps the table as it was declared. Only what Trino reads differs: its view of such a table has the plain text
format, and a log file that it fetches has the same bucket and key, with the content unfolded. So "$path" is true.
"""

from __future__ import annotations

import copy
import json
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

CLOUDTRAIL_INPUT_FORMAT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"
_CLOUDTRAIL_SERDE = "com.amazon.emr.hive.serde.CloudTrailSerde"
_TEXT_INPUT_FORMAT = "org.apache.hadoop.mapred.TextInputFormat"
_JSON_SERDE = "org.apache.hive.hcatalog.data.JsonSerDe"

BYTES_FACTOR = 4
"""An unfolded file has exactly this many times the bytes of the original, so that bytes scanned can be told exactly."""

_CACHE_BYTES = 256 * 1024 * 1024
_EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
_END_OF_DEFLATE = b"\x03\x00"

HiveType = str | dict[str, "HiveType"] | list["HiveType"]
"""A scalar's name, a struct's fields by lower-case name, or an array's or a map's element in a list of one or two."""


class LogFileError(ValueError):
    """A file is no CloudTrail log file: not JSON, or without a list of records."""


class _LogFile(msgspec.Struct):
    Records: list[msgspec.Raw]


_decode_log = msgspec.json.Decoder(_LogFile).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class CloudTrailFormat:
    """Knows which tables and folders have CloudTrail's format, and unfolds their files."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._folders: dict[str, tuple[tuple[str, str], ...]] = {}
        self._tables: set[tuple[str, str]] = set()
        self._unfolded: OrderedDict[tuple[str, str, tuple[tuple[str, str], ...]], bytes] = OrderedDict()

    def has_table(self, schema: str, table: str) -> bool:
        """Whether Trino has been shown this table, and it has CloudTrail's format."""
        return (schema, table) in self._tables

    def as_trino_sees(self, entry: dict[str, Any]) -> dict[str, Any]:
        """A table or partition of Glue as Trino can read it; one of another format is returned as it is."""
        storage = entry.get("StorageDescriptor") or {}
        if storage.get("InputFormat") != CLOUDTRAIL_INPUT_FORMAT:
            return entry
        columns = tuple((c["Name"].lower(), c["Type"].lower()) for c in storage.get("Columns", ()))
        with self._lock:
            self._tables.add((entry["DatabaseName"], entry.get("TableName") or entry["Name"]))
            if columns and storage.get("Location"):
                self._folders[storage["Location"].rstrip("/")] = columns
        shown = copy.copy(entry)
        serde = dict(storage.get("SerdeInfo") or {})
        if serde.get("SerializationLibrary") == _CLOUDTRAIL_SERDE:
            serde["SerializationLibrary"] = _JSON_SERDE
        shown["StorageDescriptor"] = {**storage, "InputFormat": _TEXT_INPUT_FORMAT, "SerdeInfo": serde}
        return shown

    def columns_of(self, location: str) -> tuple[tuple[str, str], ...] | None:
        """The columns of the table to which the object `s3://bucket/key` belongs, if it has CloudTrail's format."""
        folder = location
        while "/" in folder.removeprefix("s3://"):
            folder = folder.rsplit("/", 1)[0]
            if columns := self._folders.get(folder):
                return columns
        return None

    def unfold(self, location: str, etag: str, content: bytes, columns: tuple[tuple[str, str], ...]) -> bytes:
        """The file as Trino is shown it; unfolded anew only when its content or the table's columns changed."""
        key = (location, etag, columns)
        with self._lock:
            if key in self._unfolded:
                self._unfolded.move_to_end(key)
                return self._unfolded[key]
        unfolded = _unfold_file(location, content, columns)
        with self._lock:
            self._unfolded[key] = unfolded
            while sum(map(len, self._unfolded.values())) > _CACHE_BYTES and len(self._unfolded) > 1:
                self._unfolded.popitem(last=False)
        return unfolded


def _unfold_file(location: str, content: bytes, columns: tuple[tuple[str, str], ...]) -> bytes:
    is_gzip = location.endswith(".gz")
    try:
        log = gunzip(content) if is_gzip else content
        lines = b"".join(unfold_records(log, {name: parse_type(text) for name, text in columns}))
    except zlib.error:
        return content  # Trino fails on it by itself, and names the file as Athena does
    except LogFileError:
        lines = b"not a CloudTrail log file\n"  # on this, too
    return gzip_of_size(lines, BYTES_FACTOR * len(content)) if is_gzip else lines


def gunzip(content: bytes) -> bytes:
    """Decompress all members; zlib.error when the data is damaged or cut short."""
    parts: list[bytes] = []
    while content:
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(content))
        if not member.eof:
            raise zlib.error("the data end in the middle of a gzip member")
        content = member.unused_data
    return b"".join(parts)


def unfold_records(log: bytes, types: Mapping[str, HiveType]) -> Iterator[bytes]:
    """One line of JSON for each of a log file's records, each value in the shape that the table declares."""
    fields = dict(types)
    try:
        for record in _decode_log(log).Records:
            yield _fit_struct(bytes(record), fields).replace(b"\n", b" ").replace(b"\r", b" ") + b"\n"
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LogFileError(str(error)) from error


def _fit(value: bytes, hive_type: HiveType) -> bytes:
    """JSON text that a table with this type can read: anything but text becomes text where a string is declared.

    The text is the file's own, character by character. A value of another shape than the declared one reads as NULL.
    """
    first = value[:1]
    if (first == b'"' and isinstance(hive_type, str)) or value == b"null":
        return value
    match hive_type, first:
        case "string", _:
            return json.dumps(value.decode(), ensure_ascii=False).encode()
        case dict(), b"{":
            return _fit_struct(value, hive_type)
        case [element], b"[":
            return b"[" + b",".join([_fit(bytes(v), element) for v in _decode_array(value)]) + b"]"
        case [_, element], b"{":
            members = _decode_object(value).items()
            return b"{" + b",".join([_key(key)[1] + _fit(bytes(v), element) for key, v in members]) + b"}"
        case ((dict() | list()), _):
            return b"null"
    return value


def _fit_struct(value: bytes, fields: dict[str, HiveType]) -> bytes:
    parts = []
    for key, member in _decode_object(value).items():
        name, encoded = _key(key)
        if (hive_type := fields.get(name)) is not None:
            parts.append(encoded + _fit(bytes(member), hive_type))
    return b"{" + b",".join(parts) + b"}"


@lru_cache(maxsize=4096)
def _key(key: str) -> tuple[str, bytes]:
    """A member's name as Glue has it, and the start of the member in JSON."""
    return key.lower(), msgspec.json.encode(key) + b":"


def parse_type(text: str) -> HiveType:
    """Glue's text of a type, such as `array<struct<arn:string>>`."""
    text = text.strip().lower()
    if not text.endswith(">"):
        return text
    name, inner = text[:-1].split("<", 1)
    parts = list(_split(inner))
    if name == "struct":
        return {key.strip(): parse_type(value) for key, value in (part.split(":", 1) for part in parts)}
    return [parse_type(part) for part in parts]


def _split(text: str) -> Iterator[str]:
    depth = start = 0
    for at, char in enumerate(text):
        depth += (char in "<(") - (char in ">)")
        if char == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]


def gzip_of_size(data: bytes, size: int) -> bytes:
    """A gzip file of exactly this size, if the data fit: empty blocks and an extra field in the header fill it up."""
    deflate = zlib.compressobj(level=1, wbits=-15)
    body = deflate.compress(data) + deflate.flush(zlib.Z_SYNC_FLUSH)
    trailer = zlib.crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    missing = max(0, size - (12 + len(body) + len(_END_OF_DEFLATE) + len(trailer)))
    blocks, rest = divmod(missing, len(_EMPTY_BLOCK))
    header = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + rest.to_bytes(2, "little") + bytes(rest)
    return header + body + _EMPTY_BLOCK * blocks + _END_OF_DEFLATE + trailer
