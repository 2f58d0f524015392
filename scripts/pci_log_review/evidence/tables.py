"""Tables of the evidence as CSV that is safe to open in a spreadsheet, and as Parquet: streamed, batch after batch.

DuckDB writes the CSV (RFC 4180, in UTF-8, lines end in CR LF). NULL is an empty cell, and a time is
2026-03-10T08:00:00Z. In text each control character shows as its number, as in \\x1b, and a cell that a spreadsheet
would run as a formula begins with an apostrophe. Parquet holds the values as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

# What a spreadsheet would take for a formula, https://owasp.org/www-community/attacks/CSV_Injection
# \uff1d, \uff0b, \uff0d and \uff20 are the full-width forms of = + - @
_FORMULA = "^[\\s\\p{Z}]*[=+\\-@\uff1d\uff0b\uff0d\uff20]"
# What moves the cursor, ends a line or turns the direction of text: control characters, and the marks of two directions
_CONTROLS = {
    *map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x061C, 0x200E, 0x200F, 0x2028, 0x2029]),
    *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),
}
_CONTROL = "[" + "".join("\\x{%x}" % ord(char) for char in sorted(_CONTROLS)) + "]"  # noqa: UP031
_BATCH_ROWS = 1 << 14


class TableWriter:
    """Writes the tables of a folder; a context, which holds a DuckDB connection that puts lines together.

    Its methods raise OSError or duckdb.Error where a file can't be written.
    """

    def __enter__(self) -> Self:
        # rows pass through; what has no room may not go to the disk, which would be the working folder
        self._connection = duckdb.connect(config={"temp_directory": ""})
        self._connection.execute("pragma disable_optimizer")  # it has nothing to do, and takes its time for that
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def csv(self, path: Path, table: pa.Table) -> None:
        """Writes the table as CSV."""
        self._write(path, table.schema, iter(table.to_batches()))

    def csv_and_parquet(self, csv: Path, parquet_path: Path, rows: pa.RecordBatchReader) -> None:
        """Writes the rows to both files, reading them once, with a few batches in memory."""
        with parquet.ParquetWriter(parquet_path, rows.schema, compression="zstd") as writer:
            self._write(csv, rows.schema, _written(rows, writer))

    def _write(self, path: Path, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        safe = (_safe(batch) for batch in batches)
        self._connection.register("rows", pa.RecordBatchReader.from_batches(schema, safe))
        # By hand: COPY ends lines in LF alone, and quotes more than has to be quoted
        line = f"concat_ws(',', {', '.join(map(_cell, schema))}) || chr(13) || chr(10)"
        with path.open("wb") as file:
            file.write(f"{','.join(schema.names)}\r\n".encode())
            for lines in self._connection.execute(f"select {line} as line from rows").to_arrow_reader(_BATCH_ROWS):
                file.write(_text_of(lines.column("line")))


def _written(rows: pa.RecordBatchReader, writer: parquet.ParquetWriter) -> Iterator[pa.RecordBatch]:
    """The rows, each batch of which was written to Parquet; the writer writes an empty table where there are none."""
    for batch in rows:
        writer.write_batch(batch)
        yield batch


def _cell(field: pa.Field[Any]) -> str:
    """SQL for the text of a cell. RFC 4180 has line breaks quoted, too; there are none any more."""
    name = f'"{field.name}"'
    if pa.types.is_timestamp(field.type):
        return f"coalesce(strftime({name}, '%Y-%m-%dT%H:%M:%SZ'), '')"
    if not pa.types.is_string(field.type):
        return f"coalesce({name}::varchar, '')"
    quoted = f"""'"' || replace({name}, '"', '""') || '"'"""
    return f"""case when contains({name}, ',') or contains({name}, '"') then {quoted} else coalesce({name}, '') end"""


def _text_of(lines: pa.Array[Any]) -> memoryview:
    """All the texts of an array, one after the other."""
    _, offsets, data = lines.cast(pa.large_string()).buffers()
    if offsets is None or data is None:
        return memoryview(b"")
    ends = memoryview(offsets).cast("q")
    return memoryview(data)[ends[lines.offset] : ends[lines.offset + len(lines)]]


def _safe(batch: pa.RecordBatch) -> pa.RecordBatch:
    columns = [_safe_text(column) if pa.types.is_string(column.type) else column for column in batch.columns]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)


def _safe_text(text: pa.Array[Any]) -> pa.Array[Any]:
    has_control = pc.match_substring_regex(text, _CONTROL)
    if pc.any(has_control).as_py():
        present = _CONTROLS.intersection("".join(filter(None, text.filter(has_control).to_pylist())))
        for char in sorted(present):
            text = pc.replace_substring(text, char, f"\\x{ord(char):02x}")
    is_formula = pc.match_substring_regex(text, _FORMULA)
    if pc.any(is_formula).as_py():
        text = pc.if_else(is_formula, pc.replace_substring_regex(text, "^", "'", max_replacements=1), text)
    return text
