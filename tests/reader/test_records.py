"""DuckDB gets each record of a file as it stands there, whatever its length."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pci_log_review.cloudtrail.reader import read_records
from pci_log_review.cloudtrail.records import Records

TEXTS = st.lists(st.text(max_size=20).map(str.encode), max_size=8)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(TEXTS)
def test_records_are_the_same_in_python_in_arrow_and_in_duckdb(texts: list[bytes]) -> None:
    records = Records.of(texts)
    assert list(records) == texts
    column = records.arrow
    column.validate(full=True)
    assert [text.as_py().encode() for text in column] == texts
    with duckdb.connect() as connection:
        connection.register("records", pa.table({"record": column}))
        assert connection.execute("select record from records").fetchall() == [(text.decode(),) for text in texts]


def test_a_file_without_blanks_is_not_copied() -> None:
    texts = [b"{}", b'{"a":1234567}', b'{"a":12345}', b'{"eventName":"GetObject"}']
    file = b'{"Records":[' + b",".join(texts) + b"]}"
    records, problem = read_records("a.json", file)
    assert (list(records), problem) == (texts, None)
    assert records.text is file
    assert [text.as_py().encode() for text in records.arrow] == texts
