"""A log file is read or refused with a reason; no record of it vanishes, and none keeps the others from being read."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pci_log_review.cloudtrail import reader as log_reader
from pci_log_review.cloudtrail.reader import MAX_OBJECTS, UnreadableLogFile
from pci_log_review.cloudtrail.reader import read_records as read
from pci_log_review.cloudtrail.salvage import MAX_RECORD_BYTES
from pci_log_review.cloudtrail.store import MAX_BYTES

from .native_logs import event, log_text

GZ, PLAIN = "a_CloudTrail.json.gz", "a_CloudTrail.json"
TEXT = log_text([event(1), event(2)])
WHOLE = gzip.compress(TEXT)


def read_records(name: str, data: bytes) -> list[bytes]:
    """The records of a file that has no fault."""
    records, problem = read(name, data)
    assert problem is None
    return [bytes(record) for record in records]


def salvaged(data: bytes, name: str = PLAIN) -> tuple[list[bytes], str]:
    """The records of a file that has one, and what is said of it."""
    records, problem = read(name, data)
    assert problem
    assert "\n" not in problem, "the reason is one line"
    return [bytes(record) for record in records], problem


def refused(data: bytes, name: str = GZ) -> str:
    with pytest.raises(UnreadableLogFile) as error:
        read(name, data)
    assert "\n" not in str(error.value), "the reason is one line"
    return str(error.value)


def in_records(record: bytes) -> bytes:
    return b'{"Records":[' + record + b"]}"


# ------------------------------------------------------------------------------------------------------- compression
def test_every_record_comes_back_in_order() -> None:
    assert [json.loads(record) for record in read_records(GZ, WHOLE)] == [event(1), event(2)]


def test_a_plain_json_file_is_read() -> None:
    assert read_records(PLAIN, TEXT) == read_records(GZ, WHOLE)


def test_an_empty_file_is_refused() -> None:
    assert refused(b"") == "is empty (0 bytes)"
    assert refused(b"", PLAIN) == "is empty (0 bytes)"


def test_a_gzip_of_nothing_is_refused() -> None:
    assert "is not JSON" in refused(gzip.compress(b""))


@pytest.mark.parametrize("length", [*range(1, 40), len(WHOLE) // 2, *range(len(WHOLE) - 12, len(WHOLE))])
def test_a_gzip_that_is_cut_off_anywhere_is_refused(length: int) -> None:
    assert refused(WHOLE[:length]).startswith("gzip is ")


def test_a_cut_off_gzip_is_called_so() -> None:
    assert refused(WHOLE[:-20]) == "gzip is cut off before its end"


@pytest.mark.parametrize("position", range(len(WHOLE) - 8, len(WHOLE)))
def test_a_wrong_crc_or_length_is_refused(position: int) -> None:
    wrong = bytearray(WHOLE)
    wrong[position] ^= 1
    assert refused(bytes(wrong)).startswith("gzip is damaged")


@pytest.mark.parametrize("position", range(20, len(WHOLE) - 8, 7))
def test_a_flipped_bit_in_the_content_is_refused(position: int) -> None:
    wrong = bytearray(WHOLE)
    wrong[position] ^= 16
    refused(bytes(wrong))


@pytest.mark.parametrize("cut", [0, 1, len(TEXT) // 2, len(TEXT)])
def test_all_members_of_a_gzip_are_read(cut: int) -> None:
    assert read_records(GZ, gzip.compress(TEXT[:cut]) + gzip.compress(TEXT[cut:])) == read_records(GZ, WHOLE)


def test_two_whole_log_files_in_one_gzip_are_both_read_and_named() -> None:
    records, problem = salvaged(WHOLE + WHOLE, GZ)
    assert [json.loads(record) for record in records] == [event(1), event(2)] * 2
    assert problem.startswith("has Records 2 times; goes on for ")


def test_a_damaged_second_member_is_refused() -> None:
    assert refused(WHOLE + WHOLE[:-5]) == "gzip is cut off before its end"


@pytest.mark.parametrize("garbage", [b"garbage", b"\x00\x00garbage", b'{"Records":[]}', b"\x1f", b"\x1f\x8b"])
def test_garbage_behind_a_gzip_is_refused(garbage: bytes) -> None:
    assert refused(WHOLE + garbage).startswith("gzip is ")


def test_garbage_that_ends_like_a_gzip_is_refused_as_well() -> None:
    assert refused(WHOLE + b"garbage" + WHOLE[-8:]).startswith("gzip is ")


@pytest.mark.parametrize("zeros", [1, 3, 4, 8, 512])
def test_zeros_behind_a_gzip_are_padding(zeros: int) -> None:
    assert read_records(GZ, WHOLE + bytes(zeros)) == read_records(GZ, WHOLE)


def test_what_is_no_gzip_is_refused() -> None:
    assert refused(TEXT).startswith("gzip is damaged: Not a gzipped file")
    assert refused(WHOLE, PLAIN).startswith("is not UTF-8")


@pytest.mark.parametrize("name", ["a.txt", "a.json.gz.tmp", "a", "", "a.gz", "a.json.zst", "a.JSON.GZ"])
def test_a_file_of_another_name_is_refused(name: str) -> None:
    assert refused(WHOLE, name) == "is not named as a CloudTrail log file (.json.gz)"


# --------------------------------------------------------------------------------------------------------------- size
@pytest.mark.slow
def test_an_object_of_200_mb_is_read_in_bounded_memory() -> None:
    program = """if True:
        import gzip, json, resource
        from pci_log_review.cloudtrail.reader import read_records
        record = json.dumps({"eventName": "x" * 1_680}).encode()
        data = gzip.compress(b'{"Records":[' + b",".join([record] * 120_000) + b"]}", 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        records, problem = read_records("a.json.gz", data)
        assert problem is None and all(found == record for found in records) and len(records) == 120_000
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 450_000, "kB that reading took, beside the 400 MB that the test itself had"


def bomb(size: int) -> bytes:
    """A gzip of a few hundred kB whose content has at least `size` bytes and is valid JSON."""
    compress = zlib.compressobj(1, wbits=31)
    spaces = b" " * (1 << 20)
    parts = [compress.compress(b'{"Records":['), *(compress.compress(spaces) for _ in range(size >> 20))]
    return b"".join([*parts, compress.compress(b"]}"), compress.flush()])


@pytest.mark.slow
def test_a_decompression_bomb_is_refused() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(bomb(2 * MAX_BYTES)) == f"is too large to review: it holds more than {MAX_BYTES} bytes of JSON"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1.3 * MAX_BYTES / 1024


@pytest.mark.parametrize("stated", [0, 1, 1 << 20, (1 << 32) - 1])
def test_a_bomb_that_lies_about_its_length_is_refused(stated: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "MAX_BYTES", 4 << 20)
    assert "holds more than" in refused(bomb(8 << 20)[:-4] + stated.to_bytes(4, "little"))


def test_a_bomb_in_its_second_member_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "MAX_BYTES", 4 << 20)
    assert "holds more than" in refused(WHOLE + bomb(8 << 20))


def test_plain_json_above_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "MAX_BYTES", len(TEXT) - 1)
    assert "holds more than" in refused(TEXT, PLAIN)
    monkeypatch.setattr(log_reader, "MAX_BYTES", len(TEXT))
    assert len(read_records(PLAIN, TEXT)) == 2


def test_a_bomb_of_tiny_objects_is_refused_before_it_fills_the_memory() -> None:
    assert refused(gzip.compress(in_records(b"{}," * MAX_OBJECTS + b"{}"), 1)) == (
        f"is too large to review: it holds more than {MAX_OBJECTS} JSON objects"
    )


# ----------------------------------------------------------------------------------------------------- not a log file
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"digestStartTime":"x","digestEndTime":"y","logFiles":[]}', "is a digest file, not a log file"),
        (b"{}", "has no Records: it is not a CloudTrail log file"),
        (b'{"a":{"Records":[{}]}}', "has no Records: it is not a CloudTrail log file"),
        (b'{"Records":null}', "is not a CloudTrail log file: Expected `array`, got `null` - at `$.Records`"),
        (b'{"Records":{}}', "is not a CloudTrail log file: Expected `array`, got `object` - at `$.Records`"),
        (b'{"Records":"[]"}', "is not a CloudTrail log file: Expected `array`, got `str` - at `$.Records`"),
        (b'{"Records":1}', "is not a CloudTrail log file: Expected `array`, got `int` - at `$.Records`"),
        (b'[{"Records":[]}]', "is not a CloudTrail log file: Expected `object`, got `array`"),
        (b'"Records"', "is not a CloudTrail log file: Expected `object`, got `str`"),
        (b"null", "is not a CloudTrail log file: Expected `object`, got `null`"),
        (b"<html></html>", "is not JSON: JSON is malformed: invalid character (byte 0)"),
    ],
)
def test_what_is_no_log_file_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    assert refused(content, PLAIN) == reason
    assert refused(gzip.compress(content)) == reason


def test_a_log_file_without_a_record_is_one() -> None:
    assert read_records(PLAIN, b'{"Records":[]}') == []


def test_white_space_and_more_keys_do_not_matter() -> None:
    text = b'\r\n {\t"version" : 2 , "Records" : [ {"a" : 1} \n,\n {"b":2}] , "more": {}}\n '
    assert read_records(PLAIN, text) == [b'{"a" : 1}', b'{"b":2}']


# ---------------------------------------------------------------------------------------------------------- salvaged
A, B, C = ({"eventVersion": "1.11", "eventID": f"event-{letter}", "more": [{"a": 1}]} for letter in "abc")
TEXT_A, TEXT_B, TEXT_C = (json.dumps(record).encode() for record in (A, B, C))


def with_value(value: bytes) -> bytes:
    return TEXT_B[:-1] + b',"userAgent":' + value + b"}"


@pytest.mark.parametrize(
    ("value", "reviewed", "fault"),
    [
        (rb'"\ud800"', "\ufffd", "half a surrogate pair"),
        (rb'"\udc00"', "\ufffd", "half a surrogate pair"),
        (rb'"\uD83Dx"', "\ufffdx", "half a surrogate pair"),
        (rb'"\ud800\ud800"', "\ufffd\ufffd", "half a surrogate pair"),
        (rb'"\udc00\ud800"', "\ufffd\ufffd", "half a surrogate pair"),
        (rb'"\\ud800 \ud800"', "\\ud800 \ufffd", "half a surrogate pair"),
        (b'"a\xffb"', "a\ufffdb", "bytes that are not UTF-8"),
        (b'"\xc3"', "\ufffd", "bytes that are not UTF-8"),
        (b'"\xed\xa0\x80"', "\ufffd\ufffd\ufffd", "bytes that are not UTF-8"),
        (b'"a\0b\nc"', "a\0b\nc", "control characters or numbers that JSON does not have"),
        (b"NaN", "NaN", "control characters or numbers that JSON does not have"),
        (b"-Infinity", "-Infinity", "control characters or numbers that JSON does not have"),
        (b'"NaN\x01"', "NaN\x01", "control characters or numbers that JSON does not have"),
    ],
)
def test_a_record_with_one_bad_value_is_reviewed_and_named_with_all_others(
    value: bytes, reviewed: str, fault: str
) -> None:
    records, problem = salvaged(in_records(b",".join([TEXT_A, with_value(value), TEXT_C])))
    assert [json.loads(record) for record in records] == [A, B | {"userAgent": reviewed}, C]
    assert problem == (
        f"1 of its 3 records are not as CloudTrail writes them: record 2 (event event-b) has {fault}; "
        "it was reviewed with U+FFFD or an escape in place of that"
    )


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"1", "record 2 is not a JSON object"),
        (b"null", "record 2 is not a JSON object"),
        (b'"text"', "record 2 is not a JSON object"),
        (b"[{}]", "record 2 is not a JSON object"),
        (b"[]", "record 2 is not a JSON object"),
        (with_value(b"tru"), "record 2 (event event-b) is not JSON"),
        (with_value(b"01"), "record 2 (event event-b) is not JSON"),
        (with_value(b""), "record 2 (event event-b) is not JSON"),
        (with_value(rb'"\q"'), "record 2 (event event-b) is not JSON"),
        (with_value(b"[}"), "record 2 (event event-b) is not JSON"),
        (with_value(b"{]"), "record 2 (event event-b) is not JSON"),
        (with_value(b'"a'), "record 2 (event event-b) is not JSON"),
        (with_value(b'a"'), "record 2 (event event-b) is not JSON"),
        (TEXT_B + b"}", "record 3 is not a JSON object"),
        (with_value(b"[" * 10**5 + b"]" * 10**5), "record 2 (event event-b) is nested too deeply"),
        (with_value(b'{"a":' * 10**5 + b"1" + b"}" * 10**5), "record 2 (event event-b) is nested too deeply"),
        (with_value(b'"' + b"x" * MAX_RECORD_BYTES + b'"'), "record 2 (event event-b) is too large to review: it has "),
        (with_value(b"[" + b"[]," * 10**6 + b"0]"), "record 2 (event event-b) is too large to review: it has "),
        (with_value(b"{" + b'"k":1,' * 10**6 + b'"k":1}'), "record 2 (event event-b) is too large to review: it has "),
    ],
)
def test_a_record_that_can_not_be_reviewed_is_named_and_all_others_are_read(bad: bytes, fault: str) -> None:
    records, problem = salvaged(in_records(b",".join([TEXT_A, bad, TEXT_C, TEXT_A])))
    assert [json.loads(record) for record in records if b"event-b" not in record] == [A, C, A]
    assert fault in problem


@pytest.mark.parametrize(
    ("text", "found", "fault"),
    [
        (b'{"Records":[],"records":[%b]}', [A], "has 'records' for Records, which CloudTrail does not write"),
        (b'{"records":[%b]}', [A], "has 'records' for Records, which CloudTrail does not write"),
        (b'{"RECORDS":[%b],"Records":[]}', [A], "has 'RECORDS' for Records, which CloudTrail does not write"),
        (b'{"Records":[%b],"Records":[]}', [A], "has Records 2 times"),
        (b'{"Records":[],"Records":[%b]}', [A], "has Records 2 times"),
        (b'{"Records":[%b],"Records":null}', [A], "has Records 2 times"),
        (rb'{"Records":[],"Record\u0073":[%b]}', [A], "has Records 2 times"),
        (b'{"Records":[],"Events":[%b]}', [], "has 'Events' beside its records, which was not reviewed"),
        (b'{"Records":[],"a":{"Records":[%b]}}', [], "has 'a' beside its records, which was not reviewed"),
        (b'{"Records":[%b]}garbage', [A], "goes on for 7 bytes behind the end of its JSON"),
        (b'{"Records":[]}\n{"Records":[%b]}', [A], "has Records 2 times; goes on for "),
        (b'{"Records":[%b,]}', [A], "is not JSON: "),
        (b'{"Records":[%b', [A], "is cut off before its end"),
        (b'{"Records":[%b,{"eventID":"e-1","userAgent":"aws', [A], "is cut off before its end in record 2 (event e-1)"),
        (b'\xef\xbb\xbf{"Records":[%b]}', [A], "begins with a byte order mark"),
    ],
)
def test_what_else_is_wrong_with_a_file_hides_no_record_and_is_named(text: bytes, found: Any, fault: str) -> None:
    records, problem = salvaged(text.replace(b"%b", TEXT_A))
    assert [json.loads(record) for record in records] == found
    assert problem.startswith(fault)


def test_of_many_bad_records_some_are_named_and_all_are_counted() -> None:
    records, problem = salvaged(in_records(b",".join([with_value(rb'"\ud800"')] * 100)))
    assert len(records) == 100
    assert problem.startswith("100 of its 100 records are not")
    assert problem.endswith("; and 80 more")


TOO_MANY = "is too large to review: it holds too many values"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("in_records(b'[' * 40_000_000)", TOO_MANY),
        ("in_records(b'1,' * 40_000_000 + b'1')", TOO_MANY),
        ("b'{\"Records\":[],' + b'\"a\":1,' * 15_000_000 + b'\"a\":1}'", TOO_MANY),
        ("in_records(b'{\"a\":[' + b'[],' * 20_000_000 + b'0]},{}')", "1 of its 2 records are not as CloudTrail"),
    ],
    ids=["brackets", "numbers", "keys", "empty lists"],
)
def test_a_file_of_nothing_but_values_ends_soon_and_takes_little_memory(text: str, fault: str) -> None:
    program = f"""if True:
        import resource
        from pci_log_review.cloudtrail import salvage
        from pci_log_review.cloudtrail.reader import read_records
        salvage.MAX_BRACKETS = 200_000
        def in_records(record): return b'{{"Records":[' + record + b"]}}"
        text = {text}
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(read_records("a.json", text)[1])
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    problem, taken = run.stdout.splitlines()
    assert fault in problem
    assert int(taken) < 300_000, "kB that reading took"


# --------------------------------------------------------------------------------------------------------- characters
def test_a_file_in_utf16_is_refused() -> None:
    assert refused(TEXT.decode().encode("utf-16"), PLAIN).startswith("is not UTF-8")


@pytest.mark.parametrize("before", range(log_reader._CHUNK - 20, log_reader._CHUNK - 10))
def test_a_character_across_the_pieces_that_are_checked_is_none_the_worse(before: int) -> None:
    record = b'{"a":"' + b" " * (before - 6) + "\U0001f600".encode() + b'"}'
    problem = read(PLAIN, in_records(record))[1]
    assert (problem or "").startswith("1 of its 1 records") == (len(record) > MAX_RECORD_BYTES)


def test_an_escaped_nul_is_read() -> None:
    assert read_records(PLAIN, in_records(rb'{"eventName":"a\u0000b"}')) == [rb'{"eventName":"a\u0000b"}']


def test_a_surrogate_pair_is_read() -> None:
    assert read_records(PLAIN, in_records(rb'{"eventName":"\ud83d\ude00"}')) == [rb'{"eventName":"\ud83d\ude00"}']


# ---------------------------------------------------------------------------------------------------------- equal keys
def test_a_key_that_is_spelled_with_escapes_once_is_read() -> None:
    assert read_records(PLAIN, rb'{"\u0052ecords":[{"a":1}]}') == [b'{"a":1}']


def test_the_word_records_inside_a_record_is_no_second_list() -> None:
    record = json.dumps({"requestParameters": {"Records": [{"Records": 1}], "Record\\u0073": "Records"}}).encode()
    assert read_records(PLAIN, in_records(record)) == [record]


def test_equal_keys_inside_a_record_leave_it_as_it_is() -> None:
    record = b'{"eventName":"StopLogging","eventName":"DescribeTrails"}'
    assert read_records(PLAIN, in_records(record)) == [record]


# ------------------------------------------------------------------------------------------------------------ nesting
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_read_or_refused_but_breaks_nothing(brackets: tuple[bytes, bytes]) -> None:
    opening, closing = brackets
    for depth in (10, 100, 500):
        record = b'{"a":' + opening * depth + b"1" + closing * depth + b"}"
        assert read_records(PLAIN, in_records(record)) == [record]
    for depth in (2_000, 100_000):
        record = b'{"a":' + opening * depth + b"1" + closing * depth + b"}"
        assert "is nested too deeply" in salvaged(in_records(record))[1]


# ------------------------------------------------------------------------------------------------- whatever is written
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
EVENTS = st.lists(st.dictionaries(TEXTS | st.sampled_from(["Records", "eventName"]), VALUES, max_size=6), max_size=6)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(events=EVENTS, ascii_only=st.booleans(), indent=st.sampled_from([None, 2]), level=st.integers(0, 9))
def test_whatever_objects_are_written_come_back_equal_and_in_order(
    events: list[dict[str, Any]], ascii_only: bool, indent: int | None, level: int
) -> None:
    text = json.dumps({"Records": events}, ensure_ascii=ascii_only, indent=indent).encode()
    for records in (read_records(PLAIN, text), read_records(GZ, gzip.compress(text, level))):
        assert [json.loads(record) for record in records] == events


@settings(max_examples=500, deadline=None)
@given(data=st.binary(max_size=200), at=st.integers(0, len(WHOLE)), name=st.sampled_from([GZ, PLAIN]))
def test_any_bytes_are_read_whole_or_named_or_refused(data: bytes, at: int, name: str) -> None:
    for content in (data, WHOLE[:at] + data, WHOLE[:at] + data + WHOLE[at:], TEXT[:at] + data + TEXT[at:]):
        try:
            records, problem = read(name, content)
        except UnreadableLogFile:
            continue
        if problem:
            assert all(isinstance(json.loads(bytes(record)), dict) for record in records)
            continue
        text = gzip.decompress(content) if name == GZ else content
        assert [json.loads(bytes(record)) for record in records] == json.loads(text)["Records"]
