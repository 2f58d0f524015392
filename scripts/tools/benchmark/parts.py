"""What the benchmark measures: a run beside the article's queries, how it grows, further days, and a run on Athena."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path
from statistics import mean, median
from typing import Any

from tools.benchmark import processes
from tools.benchmark.generate import EVENTS_PER_FILE, Logs, Shape, write_logs
from tools.benchmark.processes import BenchmarkError, Ended
from tools.benchmark.review import Home, Reviewed, phases, review
from tools.benchmark.tables import Numbers, in_turn, medians, ratios, table

VARIANTS = {
    "usual": f"{EVENTS_PER_FILE:,} events a file",
    "again": "the same, in a state that dbt knows",
    "digests": "the same, with digests",
    "large": f"{4 * EVENTS_PER_FILE:,} events a file",
    "small": f"{EVENTS_PER_FILE // 10:,} events a file",
}
_SAMPLE_EVENTS, _SAMPLE_FILES = 248, 19  # of the sample day


@dataclass(frozen=True)
class Sizes:
    """How much to measure."""

    events: int
    rounds: int
    variants: tuple[str, ...]
    growth_by_events: tuple[int, ...]
    growth_by_files: tuple[int, ...]
    growth_by_history: tuple[int, ...]
    growth_by_accounts: tuple[int, ...]
    backfill_days: int
    with_chdb: bool


@dataclass(frozen=True)
class Workshop:
    """A folder to work in, which gives each run and each set of logs a new one."""

    folder: Path
    _numbers: Iterator[int]

    @classmethod
    def at(cls, folder: Path) -> Workshop:
        """Works in that folder."""
        return cls(folder, count())

    @contextmanager
    def logs(self, shape: Shape) -> Iterator[Logs]:
        """Logs of that shape, removed in the end: those of ten million events are large."""
        folder = self._new("logs")
        try:
            yield write_logs(folder, shape)
        finally:
            shutil.rmtree(folder)

    @contextmanager
    def home(self, copied: Home | None = None) -> Iterator[Home]:
        """A place for state and evidence, empty or copied, removed in the end."""
        home = Home(self._new("home"))
        if copied:
            shutil.copytree(copied.folder, home.folder, dirs_exist_ok=True)
        try:
            yield home
        finally:
            shutil.rmtree(home.folder)

    def _new(self, name: str) -> Path:
        folder = self.folder / f"{name}{next(self._numbers)}"
        folder.mkdir(parents=True)
        return folder


def measure_run(shop: Workshop, sizes: Sizes) -> None:
    """Prints the table of the run of one day, and the one of what it is compared with."""
    with ExitStack() as stack:
        usual = stack.enter_context(shop.logs(Shape(sizes.events)))
        variants = {name: _variant(name, stack, shop, usual) for name in ("usual", *sizes.variants)}
        baselines = _baselines(shop, usual, sizes.with_chdb)
        measured = in_turn(sizes.rounds, variants | baselines)
    size = f"{usual.json_bytes / 1e6:,.0f} MB of JSON, {usual.gzip_bytes / 1e6:,.0f} MB as delivered"
    first = measured["usual"]
    rows = {VARIANTS[name]: medians(measured[name]) | ratios(measured[name], first) for name in variants}
    table(f"A run over {sizes.events:,} events, {size}; ratios to the first line", "log files", rows)
    for name in baselines:
        rows[name] = medians(measured[name]) | ratios(first, measured[name])
    table("Beside it, over the same files; ratios of the run to it", "what", {name: rows[name] for name in baselines})


def _variant(name: str, stack: ExitStack, shop: Workshop, usual: Logs) -> Callable[[], Numbers]:
    """A run over logs that differ in one thing, which are there until the stack is left."""
    if name == "usual":
        return partial(_first_run, shop, usual)
    if name == "again":
        known = stack.enter_context(shop.home())
        review(usual, known)
        return partial(_next_run, usual, known)
    changes: dict[str, dict[str, Any]] = {
        "digests": {"digests": True},
        "large": {"events_per_file": 4 * EVENTS_PER_FILE},
        "small": {"events_per_file": EVENTS_PER_FILE // 10},
    }
    return partial(_first_run, shop, stack.enter_context(shop.logs(replace(usual.shape, **changes[name]))))


def _baselines(shop: Workshop, logs: Logs, with_chdb: bool) -> dict[str, Callable[[], Numbers]]:
    names = {"the article's seven queries in DuckDB": "duckdb", "gunzip alone": "gunzip"}
    if with_chdb:
        names["the article's seven queries in chdb"] = "chdb"
    rows: dict[str, object] = {}

    def baseline(name: str) -> Numbers:
        command = ["-m", "tools.benchmark.baselines", name, str(logs.folder), str(logs.shape.last)]
        with shop.home() as home:
            ended = processes.run([*command, str(logs.largest_object)], home.folder)
        found = json.loads(ended.lines[-1][1])
        if name == "gunzip":
            expected: object = {"bytes": logs.json_bytes}
        else:
            expected = rows.setdefault("article", found)  # both engines find the same
        if found != expected or not any(found.values()):
            raise BenchmarkError(f"{name} found {found} instead of {expected}")
        return _process(ended)

    return {title: partial(baseline, name) for title, name in names.items()}


def _process(ended: Ended) -> Numbers:
    return {
        "whole s": ended.seconds,
        "CPU s": ended.cpu_seconds,
        "memory of all processes, MB": ended.together_mb,
        "of the largest, MB": ended.largest_mb,
    }


def _first_run(shop: Workshop, logs: Logs) -> Numbers:
    with shop.home() as home:
        return _next_run(logs, home)


def _next_run(logs: Logs, home: Home) -> Numbers:
    reviewed = review(logs, home, [logs.shape.last])
    times = {f"{name.replace('_', ' ')} s": seconds for name, seconds in vars(phases(reviewed, home)).items()}
    return times | _process(reviewed.process) | {"events/s": logs.shape.events / reviewed.process.seconds}


def measure_growth(shop: Workshop, sizes: Sizes) -> None:
    """Prints a table for each thing that a run may grow with."""
    few = min(sizes.events, 100_000)
    by_events = {f"{events:,}": Shape(events) for events in sizes.growth_by_events}
    _grow(shop, sizes.rounds, "Growth by events", "events", by_events)
    by_files = [Shape(few, events_per_file=max(1, few // files)) for files in sizes.growth_by_files]
    title = "Growth by files, {:,} events"
    _grow(shop, sizes.rounds, title.format(few), "files", {f"{len(shape.places):,}": shape for shape in by_files})
    by_accounts = {f"{accounts:,}": Shape(few, accounts=accounts) for accounts in sizes.growth_by_accounts}
    _grow(shop, sizes.rounds, f"Growth by accounts in scope, {few:,} events", "accounts", by_accounts)
    _grow_history(shop, sizes, few)


def _grow(shop: Workshop, rounds: int, title: str, what: str, shapes: dict[str, Shape]) -> None:
    measured: dict[str, list[Numbers]] = {name: [] for name in shapes}
    for _ in range(rounds):
        for name, shape in shapes.items():
            with shop.logs(shape) as logs:  # written anew each time, since all of them together would be large
                measured[name].append(_first_run(shop, logs))
    _print_growth(title, what, measured)


def _print_growth(title: str, what: str, measured: dict[str, list[Numbers]]) -> None:
    first, *_ = measured.values()
    rows = {name: medians(rounds) | ratios(rounds, first) for name, rounds in measured.items()}
    table(f"{title}; ratios to the first line", what, rows)


def _grow_history(shop: Workshop, sizes: Sizes, events: int) -> None:
    """Reviews the same day in states that hold ever more small days before it."""
    longest = max(sizes.growth_by_history)
    small = Shape(_SAMPLE_EVENTS, events_per_file=_SAMPLE_EVENTS // _SAMPLE_FILES, days=longest)
    small = replace(small, last=small.last - timedelta(days=1))
    with shop.logs(small) as before, shop.logs(Shape(events)) as logs:
        homes: dict[str, Home] = {}
        begin = 0
        for end in sorted(sizes.growth_by_history):
            grown = Home(shop.folder / f"history{end}")
            if homes:
                shutil.copytree([*homes.values()][-1].folder, grown.folder)
            review(before, grown, small.all_days[begin:end])
            homes[f"{end:,}"] = grown
            begin = end

        def next_day(home: Home) -> Numbers:
            with shop.home(home) as copied:
                return _next_run(logs, copied)

        variants = {name: partial(next_day, home) for name, home in homes.items()}
        _print_growth(f"Growth by days in the state, {events:,} events", "days", in_turn(sizes.rounds, variants))
        for home in homes.values():
            shutil.rmtree(home.folder)


def measure_backfill(shop: Workshop, sizes: Sizes) -> None:
    """Prints what each further day of a run over many days takes; the days are of the sample's size, with digests."""
    days = sizes.backfill_days
    shape = Shape(_SAMPLE_EVENTS, events_per_file=_SAMPLE_EVENTS // _SAMPLE_FILES, days=days, digests=True)
    shape = replace(shape, last=shape.last + timedelta(days=20))  # the sample's key is valid in March
    with shop.logs(shape) as logs, shop.home() as home:
        reviewed = review(logs, home)
    table(f"A backfill of {days} days of {shape.events} events, with digests", "days", {f"{days}": _backfill(reviewed)})


def _backfill(reviewed: Reviewed) -> Numbers:
    first, *further = reviewed.days
    tenth = max(1, len(further) // 10)
    return _process(reviewed.process) | {
        "first day s": first,
        "a further day s": median(further),
        "its longest s": max(further),
        "ratio of the last tenth to the first": mean(further[-tenth:]) / mean(further[:tenth]),
    }


def measure_athena(shop: Workshop, sizes: Sizes) -> None:
    """Prints what a run on the local Athena costs, which tests.athena.measure_bytes measures."""
    command = ["-m", "tests.athena.measure_bytes", "--events", str(min(sizes.events, 100_000))]
    with shop.home() as home:
        ended = processes.run(command, home.folder)
    print("\n**A run on the local Athena**\n")
    print("".join(line for _, line in ended.lines), flush=True)
