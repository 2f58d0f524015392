"""The records of a log file, as places in its text: DuckDB gets them without a copy, and without an object for each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_INLINE = 12  # bytes of a text that its view holds itself
_PREFIX = 4  # bytes that the view of a longer text repeats


@dataclass(frozen=True, eq=False)
class Records:
    """Where each record begins in `text`, which is UTF-8 and has fewer than 2**31 bytes, and how many bytes it has."""

    text: bytes | bytearray
    begins: NDArray[np.int64]
    sizes: NDArray[np.int64]

    @classmethod
    def of(cls, records: Sequence[bytes | msgspec.Raw]) -> Records:
        """These records, copied into one text."""
        sizes = np.fromiter(map(len, records), np.int64, len(records))
        return cls(b"".join(records), np.cumsum(sizes) - sizes, sizes)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.begins)

    def __iter__(self) -> Iterator[bytes]:
        """Each record's JSON text, in the file's order."""
        with memoryview(self.text) as text:
            for begin, size in zip(self.begins.tolist(), self.sizes.tolist(), strict=True):
                yield bytes(text[begin : begin + size])

    @cached_property
    def arrow(self) -> pa.Array[Any]:
        """The records as an array of texts, which refers to `text`.

        Its layout: Apache Arrow Columnar Format, "Variable-size Binary View Layout".
        """
        data = np.frombuffer(self.text, np.uint8)
        views = np.zeros((len(self), 16), np.uint8)
        views[:, :4] = _as_bytes(self.sizes)
        is_long = self.sizes > _INLINE
        views[is_long, 12:] = _as_bytes(self.begins[is_long])
        repeated = np.where(is_long, _PREFIX, self.sizes)
        for place in range(int(repeated.max(initial=0))):
            has_it = repeated > place
            views[has_it, _PREFIX + place] = data[self.begins[has_it] + place]
        buffers = [None, pa.py_buffer(views.data), pa.py_buffer(self.text)]
        return pa.Array.from_buffers(pa.string_view(), len(self), buffers)


def _as_bytes(numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    return numbers.astype("<i4").view(np.uint8).reshape(-1, 4)
