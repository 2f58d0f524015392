"""The tables of the evidence are CSV that every reader takes apart alike, and hold what was found."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pci_log_review.evidence.tables import TableWriter

SCHEMA = pa.schema([("a", pa.string()), ("b", pa.string())])


def written(path: Path, *rows: dict[str, Any], schema: pa.Schema = SCHEMA) -> str:
    with TableWriter() as tables:
        tables.csv(path / "table.csv", pa.Table.from_pylist(list(rows), schema))
    return (path / "table.csv").read_bytes().decode()


def cell(path: Path, text: str) -> str:
    """What a reader of CSV finds of a text."""
    [_, row] = csv.reader(io.StringIO(written(path, {"a": text, "b": "end"}), newline=""))
    assert row[1:] == ["end"]
    return row[0]


def test_values_are_written_as_they_were_always_written(tmp_path: Path) -> None:
    row = {
        "day": date(2026, 3, 10),
        "time": datetime(2026, 3, 10, 8, 0, 59, 999_999),
        "yes": True,
        "no": False,
        "count": -12,
        "text": 'with "quotes", and a comma',
        "plain": "aws-cli/2.22 md/awscrt#0.23",
        "nothing": None,
        "empty": "",
    }
    types: dict[str, pa.DataType] = {"day": pa.date32(), "time": pa.timestamp("us"), "count": pa.int64()}
    types |= {"yes": pa.bool_(), "no": pa.bool_()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in row])
    assert written(tmp_path, row, dict.fromkeys(row), schema=schema).splitlines() == [
        "day,time,yes,no,count,text,plain,nothing,empty",
        '2026-03-10,2026-03-10T08:00:59Z,true,false,-12,"with ""quotes"", and a comma",aws-cli/2.22 md/awscrt#0.23,,',
        ",,,,,,,,",
    ]


def test_lines_end_in_cr_lf_and_a_table_without_rows_has_a_header(tmp_path: Path) -> None:
    assert written(tmp_path, {"a": "1", "b": "2"}) == "a,b\r\n1,2\r\n"
    assert written(tmp_path) == "a,b\r\n"


@pytest.mark.parametrize(
    "begin", ["=", "+", "-", "@", " =", "  -", "\u2003+", "\u00a0=", "\u3000@", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
)
def test_what_a_spreadsheet_would_run_begins_with_an_apostrophe(tmp_path: Path, begin: str) -> None:
    assert cell(tmp_path, f"{begin}HYPERLINK(0)") == f"'{begin}HYPERLINK(0)"
    assert cell(tmp_path, f"x{begin}") == f"x{begin}"


@pytest.mark.parametrize(
    "char", ["\0", "\t", "\n", "\r", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200f"]
)
def test_a_control_character_shows_as_its_number(tmp_path: Path, char: str) -> None:
    shown = f"\\x{ord(char):02x}"
    assert cell(tmp_path, f"a{char}b{char}") == f"a{shown}b{shown}"
    assert cell(tmp_path, f"{char}=1+1") == f"{shown}=1+1", "no cell that begins so is run"


def test_no_character_that_moves_the_cursor_or_turns_the_text_is_left(tmp_path: Path) -> None:
    turns = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    chars = [chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number <= 0xDFFF]
    moving = [char for char in chars if unicodedata.category(char) in ("Cc", "Zl", "Zp")]
    moving += [char for char in chars if unicodedata.bidirectional(char) in turns or char in "\u200e\u200f\u061c"]
    shown = "".join(f"\\x{ord(char):02x}" for char in moving)
    assert cell(tmp_path, "".join(moving)) == shown


def test_letters_of_any_language_and_emoji_stay_as_they_are(tmp_path: Path) -> None:
    text = "Zoë, 日本語, עברית, नमस्ते, 👩‍💻, \ufb01"
    assert cell(tmp_path, text) == text


@pytest.mark.slow
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({"a": st.none() | st.text(), "b": st.none() | st.text()}), max_size=5))
def test_whatever_is_written_is_read_back_in_its_place(tmp_path: Path, rows: list[dict[str, str | None]]) -> None:
    text = written(tmp_path, *rows)
    found = list(csv.reader(io.StringIO(text, newline="")))
    assert [len(row) for row in found] == [2] * (len(rows) + 1)
    assert text.count("\n") == len(rows) + 1, "nothing in a cell ends a line"
    for row, values in zip(found[1:], rows, strict=True):
        for read, value in zip(row, (values["a"], values["b"]), strict=True):
            plain = (value or "").isprintable() and not read.startswith("'")
            assert not plain or read == (value or "")


def test_both_files_have_all_rows_and_parquet_the_values_as_they_are(tmp_path: Path) -> None:
    batches = [pa.RecordBatch.from_pydict({"a": ["=1", "\n"] * 5_000, "b": [None, ""] * 5_000}, SCHEMA)] * 3
    reader = pa.RecordBatchReader.from_batches(SCHEMA, iter(batches))
    with TableWriter() as tables:
        tables.csv_and_parquet(tmp_path / "a.csv", tmp_path / "a.parquet", reader)
    assert parquet.read_table(tmp_path / "a.parquet").equals(pa.Table.from_batches(batches))
    lines = (tmp_path / "a.csv").read_bytes().split(b"\r\n")
    assert (len(lines), set(lines)) == (30_002, {b"a,b", b"'=1,", b"\\x0a,", b""})


def test_no_rows_leave_a_header_and_an_empty_table(tmp_path: Path) -> None:
    nothing = pa.RecordBatchReader.from_batches(SCHEMA, [])
    with TableWriter() as tables:
        tables.csv_and_parquet(tmp_path / "a.csv", tmp_path / "a.parquet", nothing)
    assert (tmp_path / "a.csv").read_bytes() == b"a,b\r\n"
    assert parquet.read_table(tmp_path / "a.parquet").equals(SCHEMA.empty_table())
