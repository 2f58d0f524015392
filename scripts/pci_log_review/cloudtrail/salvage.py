"""Takes a file apart that is not as CloudTrail writes log files: one bad record must not hide the others.

All records in it that can be reviewed are found, wherever in the file they stand; whatever else is there is named.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

import msgspec

# CloudTrail ends an event at 256 KB, an enriched one at 1 MB (AWS CloudTrail User Guide, "CloudTrail record contents").
MAX_RECORD_BYTES = 1 << 20
MAX_BRACKETS = 1 << 23  # the largest file of real events that is read at all has half as many
_SHOWN = 20
_LONGEST_KEY = 100

# Everything up to a bracket that stands in no text; nothing where a text has no end.
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([\[\]{}])', re.DOTALL)
# The same inside a record, where empty lists are passed over: a request may have millions of them.
_TO_BRACKET_INSIDE = re.compile(rb'(?:[^"\[\]{}]++|\[\]|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+([\[\]{}])', re.DOTALL)
_VALUE = re.compile(rb"[^\s,][^,]*+")
_KEY = re.compile(rb'("[^"\\]*+(?:\\.[^"\\]*+)*+")\s*:', re.DOTALL)
_TEXT_OR_NO_NUMBER = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?\b(?:NaN|Infinity)\b', re.DOTALL)
_CONTROL = re.compile(rb"[\x00-\x1f]")
# A pair of surrogates, half of one, or any other escape.
_ESCAPE = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
# How CloudTrail begins a record: within a text the quotes would be escaped.
_BEGINNING = re.compile(rb'\{\s*"eventVersion"\s*:')
_EVENT_ID = re.compile(rb'"eventID"\s*:\s*"([\w-]{1,64})"', re.IGNORECASE)

_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


@dataclass
class BadRecords:
    """Records of a file that something is wrong with: the first are named, all are counted."""

    named: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, name: str, fault: str) -> None:
        """Notes one more; `fault` continues its name."""
        self.count += 1
        if len(self.named) < _SHOWN:
            self.named.append(f"{name} {fault}")

    def told(self, seen: int) -> str | None:
        """One text on them all, of `seen` in the file; None where there are none."""
        if not self.count:
            return None
        rest = self.count - len(self.named)
        which = "; ".join([*self.named, *([f"and {rest} more"] if rest else [])])
        return f"{self.count} of its {seen} records are not as CloudTrail writes them: {which}"


@dataclass
class Salvaged:
    """What was found in a file. `lists` is the number of its lists of records, and `seen` that of their records;
    `faults` and `bad_records` say what is wrong with the file and with some of them, each continuing its name.
    """

    records: list[bytes] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    bad_records: BadRecords = field(default_factory=BadRecords)
    seen: int = 0
    lists: int = 0

    @property
    def problem(self) -> str | None:
        """All faults, in one line."""
        return "; ".join(filter(None, [*self.faults, self.bad_records.told(self.seen)])) or None


def record_name(number: int, record: bytes | msgspec.Raw | memoryview) -> str:
    """How a record is named in a message: by its place in the file and, where it has one, its event's id."""
    view = memoryview(record)
    ends = (view[:MAX_RECORD_BYTES], view[MAX_RECORD_BYTES:][-MAX_RECORD_BYTES:])
    found = next(filter(None, map(_EVENT_ID.search, ends)), None)
    return f"record {number}{f' (event {found[1].decode()})' if found else ''}"


def take_apart(text: bytes | bytearray) -> Salvaged:
    """Everything that can be reviewed in the text of a log file."""
    found = Salvaged()
    if text.startswith(codecs.BOM_UTF8):
        found.faults.append("begins with a byte order mark")
    _Walk(text, found).walk()
    return found


class _Walk:
    """Goes through a text bracket by bracket, whether or not it is JSON."""

    def __init__(self, text: bytes | bytearray, found: Salvaged) -> None:
        self._text = text
        self._found = found
        self._open = bytearray()  # the brackets that the walk is inside of
        self._key: str | None = None  # the last one of the file's object
        self._lists_named = 0  # how often Records stands there, and how else it is spelled
        self._spelled: set[str] = set()
        # In a list of records: where the record begins that the walk is in, and where the last one ended.
        self._record: int | None = None
        self._gap: int | None = None
        self._other: tuple[str, int] | None = None  # another value that could hold records, and where it begins
        self._others = 0
        self._end: int | None = None  # of the first JSON object
        self._brackets = 0

    def walk(self) -> None:
        """Collects what is there."""
        position = 0
        while self._brackets < MAX_BRACKETS:
            to_bracket = _TO_BRACKET if len(self._open) <= _IN_LIST else _TO_BRACKET_INSIDE
            found = to_bracket.match(self._text, position)
            if not found:  # there are no more, or a text has no end
                if (onward := self._onward(self._record or self._gap, len(self._text))) is None:
                    break
                position = onward
                continue
            self._brackets += 1
            before, position = position, found.end()
            if len(self._open) == 1:
                self._take_keys(before, position)
            if self._text[position - 1] in b"[{":
                self._enter(position)
            else:
                position = self._leave(position)
        self._finish()

    def _take_keys(self, begin: int, end: int) -> None:
        for key in _KEY.finditer(self._text, begin, end):
            self._brackets += 1
            if self._brackets >= MAX_BRACKETS:
                return
            self._key = _name(key[1])
            self._lists_named += self._key == "Records"
            if self._key != "Records" and _is_for_records(self._key):
                self._spelled.add(self._key)

    def _enter(self, position: int) -> None:
        if len(self._open) == _IN_LIST and self._gap is not None:
            self._take_gap(position - 1)
            self._record = position - 1
        self._open.append(self._text[position - 1])
        if len(self._open) == _IN_LIST and self._key is not None:
            if self._open[-1] == ord("[") and _is_for_records(self._key):
                self._found.lists += 1
                self._gap = position
            else:
                self._other = self._key, position

    def _leave(self, position: int) -> int:
        """Closes what ends with this bracket; returns where to walk on."""
        matching = self._open.rfind(b"[" if self._text[position - 1] == ord("]") else b"{")
        # one that closes none of those inside the record is a fault of the record, and not the end of the list
        if matching < 0 or (self._gap is not None and matching < _IN_LIST and len(self._open) != matching + 1):
            return position
        del self._open[matching:]
        if self._record is not None and len(self._open) == _IN_LIST:
            if (onward := self._take(self._record, position)) is not None:
                return onward
            self._record, self._gap = None, position
        elif len(self._open) == 1:
            if self._gap is not None:
                self._take_gap(position - 1)
            if self._other and _VALUE.search(self._text, self._other[1], position - 1):
                self._others += 1
                if self._others <= _SHOWN:
                    self._found.faults.append(f"has {self._other[0]!r} beside its records, which was not reviewed")
            self._record = self._gap = self._other = None
        elif not self._open and self._end is None:
            self._end = position
        return position

    def _take(self, begin: int, end: int) -> int | None:
        """Takes a record; returns where the next one begins if this one hides where it ends."""
        kept, fault = reviewable(memoryview(self._text)[begin:end])
        if fault and not kept and (onward := self._onward(begin, end)) is not None:
            return onward
        self._found.seen += 1
        if fault:
            self._found.bad_records.add(record_name(self._found.seen, memoryview(self._text)[begin:end]), fault)
        if kept is not None:
            self._found.records.append(kept)
        return None

    def _take_gap(self, end: int) -> None:
        """Names what stands between two records: nothing but a comma should."""
        for _ in _VALUE.finditer(self._text, self._gap or 0, end):
            self._brackets += 1
            if self._brackets >= MAX_BRACKETS:
                return
            self._found.seen += 1
            name = f"record {self._found.seen}"
            self._found.bad_records.add(name, "is not a JSON object, so it was not reviewed")

    def _onward(self, begin: int | None, end: int) -> int | None:
        """Where the next record begins that can be told apart, after one that has no end or holds others."""
        following = None if begin is None else _BEGINNING.search(self._text, begin + 1, end)
        if begin is None or not following:
            return None
        self._found.seen += 1
        name = record_name(self._found.seen, memoryview(self._text)[begin : following.start()])
        self._found.bad_records.add(name, "is not JSON, so it was not reviewed")
        self._open[:] = b"{["
        self._record, self._gap = None, following.start()
        return self._gap

    def _finish(self) -> None:
        faults = self._found.faults
        if self._lists_named > 1:
            faults.append(f"has Records {self._lists_named} times")
        if self._spelled:
            names = ", ".join(map(repr, sorted(self._spelled)))
            faults.append(f"has {names} for Records, which CloudTrail does not write")
        if self._brackets >= MAX_BRACKETS:
            faults.append("is too large to review: it holds too many values to be looked through to its end")
        elif self._open:
            within = ""
            if self._record is not None:
                cut = memoryview(self._text)[self._record :]
                within = f" in {record_name(self._found.seen + 1, cut)}, which was not reviewed"
            faults.append(f"is cut off before its end{within}")
        elif self._end is not None and (rest := len(bytes(self._text[self._end :]).strip())):
            faults.append(f"goes on for {rest} bytes behind the end of its JSON")


_IN_LIST = 2  # open brackets where the records of a file stand


def _name(token: bytes) -> str:
    """The key, or its beginning: it may be shown."""
    try:
        return msgspec.json.decode(token[:_LONGEST_KEY], type=str)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return token[:_LONGEST_KEY].decode("utf-8", "replace")


def _is_for_records(key: str) -> bool:
    return key.strip().casefold() == "records"


def reviewable(record: msgspec.Raw | memoryview) -> tuple[bytes | None, str | None]:
    """The record as it can be reviewed, if it can, and what is wrong with it, if anything is."""
    if len(record) > MAX_RECORD_BYTES:
        return None, (
            f"is too large to review: it has {len(record)} bytes, and CloudTrail writes no more than {MAX_RECORD_BYTES}"
        )
    text = bytes(record)
    if _fault(text) is None:
        return text, None
    mended, mendings = _mended(text)
    if fault := _fault(mended):
        return None, f"{fault}, so it was not reviewed"
    return mended, f"has {' and '.join(mendings)}; it was reviewed with U+FFFD or an escape in place of that"


def _fault(record: bytes) -> str | None:
    try:
        record.decode()
        _decode_object(record)
    except UnicodeDecodeError:
        return "is not UTF-8"
    except RecursionError:
        return "is nested too deeply"
    except msgspec.ValidationError:
        return "is not a JSON object"
    except msgspec.DecodeError as error:
        return f"is not JSON ({error})"
    return None


def _mended(record: bytes) -> tuple[bytes, list[str]]:
    """The record with what keeps it from being JSON written in another way, and what that was."""
    steps = (
        ("bytes that are not UTF-8", lambda it: it.decode("utf-8", "replace").encode()),
        ("half a surrogate pair", lambda it: _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], it)),
        ("control characters or numbers that JSON does not have", lambda it: _TEXT_OR_NO_NUMBER.sub(_as_json, it)),
    )
    mendings = []
    for what, step in steps:
        mended = step(record)
        if mended != record:
            mendings.append(what)
        record = mended
    return record, mendings


def _as_json(found: re.Match[bytes]) -> bytes:
    if not found[0].startswith(b'"'):
        return b'"' + found[0] + b'"'
    return _CONTROL.sub(lambda control: b"\\u%04x" % control[0][0], found[0])
