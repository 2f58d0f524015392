"""A log file is read whole or refused with a reason; no record of it vanishes."""

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
from pci_log_review.cloudtrail.reader import MAX_OBJECTS, UnreadableLogFile, read_records
from pci_log_review.cloudtrail.store import MAX_BYTES

from .native_logs import event, log_text

GZ, PLAIN = "a_CloudTrail.json.gz", "a_CloudTrail.json"
TEXT = log_text([event(1), event(2)])
WHOLE = gzip.compress(TEXT)


def refused(data: bytes, name: str = GZ) -> str:
    with pytest.raises(UnreadableLogFile) as error:
        read_records(name, data)
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


def test_two_whole_log_files_in_one_gzip_are_refused_not_halved() -> None:
    assert "trailing characters" in refused(WHOLE + WHOLE)


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
def test_an_object_of_200_mb_is_read_in_bounded_memory() -> None:
    program = """if True:
        import gzip, json, resource
        from pci_log_review.cloudtrail.reader import read_records
        record = json.dumps({"eventName": "x" * 1_680}).encode()
        data = gzip.compress(b'{"Records":[' + b",".join([record] * 120_000) + b"]}", 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert read_records("a.json.gz", data) == [record] * 120_000
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 600_000, "kB that reading took, beside the 400 MB that the test itself had"


def bomb(size: int) -> bytes:
    """A gzip of a few hundred kB whose content has at least `size` bytes and is valid JSON."""
    compress = zlib.compressobj(1, wbits=31)
    spaces = b" " * (1 << 20)
    parts = [compress.compress(b'{"Records":['), *(compress.compress(spaces) for _ in range(size >> 20))]
    return b"".join([*parts, compress.compress(b"]}"), compress.flush()])


def test_a_decompression_bomb_is_refused() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refused(bomb(2 * MAX_BYTES)) == f"holds more than {MAX_BYTES} bytes of JSON"
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
        f"holds more than {MAX_OBJECTS} JSON objects"
    )


# ----------------------------------------------------------------------------------------------------- not a log file
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"digestStartTime":"x","digestEndTime":"y","logFiles":[]}', "is a digest file, not a log file"),
        (b"{}", "has no Records: it is not a CloudTrail log file"),
        (b'{"records":[{}]}', "has no Records: it is not a CloudTrail log file"),
        (b'{"a":{"Records":[{}]}}', "has no Records: it is not a CloudTrail log file"),
        (b'{"Records":null}', "is not a CloudTrail log file: Expected `array`, got `null` - at `$.Records`"),
        (b'{"Records":{}}', "is not a CloudTrail log file: Expected `array`, got `object` - at `$.Records`"),
        (b'{"Records":"[]"}', "is not a CloudTrail log file: Expected `array`, got `str` - at `$.Records`"),
        (b'{"Records":1}', "is not a CloudTrail log file: Expected `array`, got `int` - at `$.Records`"),
        (b'[{"Records":[]}]', "is not a CloudTrail log file: Expected `object`, got `array`"),
        (b'"Records"', "is not a CloudTrail log file: Expected `object`, got `str`"),
        (b"null", "is not a CloudTrail log file: Expected `object`, got `null`"),
        (in_records(b"{},null"), "record 2 of 2 is not a JSON object"),
        (in_records(b"[]"), "record 1 of 1 is not a JSON object"),
        (in_records(b'{},{},"{}"'), "record 3 of 3 is not a JSON object"),
        (in_records(b"1"), "record 1 of 1 is not a JSON object"),
        (b'{"Records":[{}]}{"Records":[{}]}', "is not JSON: JSON is malformed: trailing characters (byte 17)"),
        (b'{"Records":[{}]}\n{"Records":[{}]}', "is not JSON: JSON is malformed: trailing characters (byte 18)"),
        (b'{"Records":[{}', "is not JSON: Input data was truncated"),
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


# --------------------------------------------------------------------------------------------------------- characters
def test_bad_utf8_is_refused() -> None:
    for bad in (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf5\x80\x80\x80"):
        assert refused(in_records(b'{"eventName":"' + bad + b'"}'), PLAIN).startswith("is not UTF-8: ")


def test_bad_utf8_at_the_end_is_refused() -> None:
    assert refused(TEXT + b"\xf0\x9f", PLAIN).startswith("is not UTF-8: ")


@pytest.mark.parametrize("before", range(log_reader._CHUNK - 20, log_reader._CHUNK - 10))
def test_a_character_across_the_pieces_that_are_checked_is_none_the_worse(before: int) -> None:
    record = b'{"a":"' + b" " * (before - 6) + "\U0001f600".encode() + b'"}'
    assert read_records(PLAIN, in_records(record)) == [record]


def test_a_byte_order_mark_is_refused() -> None:
    assert "byte order mark" in refused(b"\xef\xbb\xbf" + TEXT, PLAIN)
    assert refused(TEXT.decode().encode("utf-16"), PLAIN).startswith("is not UTF-8")


def test_raw_control_characters_are_refused() -> None:
    for character in (b"\x00", b"\n", b"\x1f"):
        assert refused(in_records(b'{"eventName":"a' + character + b'b"}'), PLAIN).startswith("is not JSON")
    assert refused(TEXT + b"\x00", PLAIN).startswith("is not JSON")


def test_an_escaped_nul_is_read() -> None:
    assert read_records(PLAIN, in_records(rb'{"eventName":"a\u0000b"}')) == [rb'{"eventName":"a\u0000b"}']


@pytest.mark.parametrize("half", [rb"\ud800", rb"\udc00", rb"\ud800\ud800", rb"\udc00\ud800", rb"\uD83Dx"])
def test_half_a_surrogate_pair_is_refused(half: bytes) -> None:
    assert refused(in_records(b'{"eventName":"' + half + b'"}'), PLAIN).startswith("is not JSON")


def test_a_surrogate_pair_is_read() -> None:
    assert read_records(PLAIN, in_records(rb'{"eventName":"\ud83d\ude00"}')) == [rb'{"eventName":"\ud83d\ude00"}']


@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"01", b"1.", b".5", b"+1", b"'a'", b"tru", b""])
def test_values_that_are_not_json_are_refused(value: bytes) -> None:
    assert refused(in_records(b'{"a":' + value + b"}"), PLAIN).startswith("is not JSON")


# ---------------------------------------------------------------------------------------------------- two equal keys
@pytest.mark.parametrize(
    "key", [b"Records", rb"\u0052ecords", rb"R\u0065cords", rb"Re\u0063\u006Frds", rb"Record\u0073"]
)
@pytest.mark.parametrize("hidden", [b'[{"eventName":"StopLogging"}]', b"[]", b"null"])
def test_records_twice_is_refused_however_the_key_is_spelled(key: bytes, hidden: bytes) -> None:
    for text in (
        b'{"Records":[],"' + key + b'":' + hidden + b"}",
        b'{"' + key + b'":' + hidden + b',"Records":[]}',
        b'{"' + key + b'":' + hidden + b',"a":1,"' + key + b'" : [{"eventName":"DescribeTrails"}]}',
    ):
        assert "Records" in refused(text, PLAIN)


def test_a_key_that_is_spelled_with_escapes_once_is_read() -> None:
    assert read_records(PLAIN, rb'{"\u0052ecords":[{"a":1}]}') == [b'{"a":1}']


def test_the_word_records_inside_a_record_is_no_second_list() -> None:
    record = json.dumps({"requestParameters": {"Records": [{"Records": 1}], "Record\\u0073": "Records"}}).encode()
    assert read_records(PLAIN, in_records(record)) == [record]


def test_numbers_and_depth_do_not_upset_the_search_for_two_lists() -> None:
    long = b'{"Records":' + b"9" * 10_000 + b"}"
    assert read_records(PLAIN, in_records(long)) == [long]
    reasons = set()
    for depth in range(900, 1_100, 10):
        nested = b'{"Records":' + b"[" * depth + b"]" * depth + b"}"
        try:
            records = read_records(PLAIN, in_records(nested))
        except UnreadableLogFile as error:
            reasons.add(str(error))
        else:
            assert records == [nested]
    assert reasons == {"is nested too deeply to be a CloudTrail log file"}


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
    for depth in (2_000, 100_000, 1_000_000):
        record = b'{"a":' + opening * depth + b"1" + closing * depth + b"}"
        assert refused(in_records(record), PLAIN) == "is nested too deeply to be a CloudTrail log file"


# ------------------------------------------------------------------------------------------------- whatever is written
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
EVENTS = st.lists(st.dictionaries(TEXTS | st.sampled_from(["Records", "eventName"]), VALUES, max_size=6), max_size=6)


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
def test_any_bytes_are_read_whole_or_refused(data: bytes, at: int, name: str) -> None:
    for content in (data, WHOLE[:at] + data, WHOLE[:at] + data + WHOLE[at:], TEXT[:at] + data + TEXT[at:]):
        try:
            records = read_records(name, content)
        except UnreadableLogFile:
            continue
        text = gzip.decompress(content) if name == GZ else content
        assert [json.loads(record) for record in records] == json.loads(text)["Records"]
