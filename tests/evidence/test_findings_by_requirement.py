"""The day's findings, read with one query, are cut into those of each requirement."""

from __future__ import annotations

from collections import deque

import pyarrow as pa
import pytest

from pci_log_review.review.files import _by_requirement
from pci_log_review.warehouse.results import ResultsError


def findings(*batches: str) -> pa.RecordBatchReader:
    """Findings of requirements named by a letter, numbered, in the batches in which they are fetched."""
    types: dict[str, pa.DataType] = {"requirement": pa.string(), "number": pa.int64()}
    schema = pa.schema(types)
    numbers = iter(range(100))
    return pa.RecordBatchReader.from_batches(
        schema,
        [pa.record_batch([list(batch), [next(numbers) for _ in batch]], schema=schema) for batch in batches],
    )


@pytest.mark.parametrize("batches", [("aabddd",), ("a", "a", "bd", "dd"), ("aab", "ddd", ""), ("", "aabd", "dd")])
def test_each_requirement_gets_its_own_whatever_the_batches(batches: tuple[str, ...]) -> None:
    cut = {name: rows.read_all()["number"].to_pylist() for name, rows in _by_requirement(findings(*batches), "abcd")}
    assert cut == {"a": [0, 1], "b": [2], "c": [], "d": [3, 4, 5]}


def test_a_day_without_findings_has_an_empty_table_for_each_requirement() -> None:
    cut = {name: rows.read_all() for name, rows in _by_requirement(findings(), "ab")}
    assert {name: table.num_rows for name, table in cut.items()} == {"a": 0, "b": 0}
    assert cut["a"].column_names == ["requirement", "number"]


@pytest.mark.parametrize("batches", [("ax",), ("xz",), ("aabx", "x")])
def test_a_finding_of_no_known_requirement_is_never_left_out_in_silence(batches: tuple[str, ...]) -> None:
    cut = _by_requirement(findings(*batches), "ab")
    with pytest.raises(ResultsError, match="findings has rows of x, which daily_review does not have"):
        deque((rows.read_all() for _, rows in cut), maxlen=0)
