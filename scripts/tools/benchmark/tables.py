"""Tables in Markdown, with the medians of runs that were made in turn."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import duckdb

Numbers = dict[str, float]  # by the heading of their column, which names the unit


def in_turn(rounds: int, variants: Mapping[str, Callable[[], Numbers]]) -> dict[str, list[Numbers]]:
    """Runs each variant once in each round, so that what slows the machine down for a while slows all of them."""
    measured: dict[str, list[Numbers]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            measured[name].append(variant())
    return measured


def medians(rounds: Sequence[Numbers]) -> Numbers:
    """The median of each number over the rounds."""
    return {name: median(numbers[name] for numbers in rounds) for name in rounds[0]}


def ratios(these: Sequence[Numbers], others: Sequence[Numbers]) -> Numbers:
    """How long these took in comparison: the median of each round's ratio, by the clock and in CPU seconds."""
    return {
        f"ratio, {name.removesuffix(' s')}": median(
            this[name] / other[name] for this, other in zip(these, others, strict=True)
        )
        for name in ("whole s", "CPU s")
    }


def table(title: str, first: str, rows: Mapping[str, Numbers]) -> None:
    """Prints a table with a column for each number that any row has."""
    columns = list(dict.fromkeys(name for numbers in rows.values() for name in numbers))
    print(f"\n**{title}**\n\n| {' | '.join([first, *columns])} |\n|---|{'---:|' * len(columns)}")
    for row, numbers in rows.items():
        cells = [_plain(name, numbers[name]) if name in numbers else "" for name in columns]
        print(f"| {' | '.join([row, *cells])} |", flush=True)


def print_machine(rounds: int) -> None:
    """Prints on what, when and how it was measured."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    processor = platform.processor() or platform.machine()
    with suppress(OSError):
        named = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        processor = named[1] if named else processor
    print(
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {platform.system()}, {processor}, {_cores()} cores, "
        f"{memory:.0f} GB of memory, load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, DuckDB {duckdb.__version__}. "
        f"Medians of {rounds} rounds in turn; memory is 0 where there is no /proc.",
        flush=True,
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _plain(name: str, value: float) -> str:
    digits = 2 if name.startswith("ratio") else 1 if name.endswith(" s") else 0
    return f"{value:,.{digits}f}"
