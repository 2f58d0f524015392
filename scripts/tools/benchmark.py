#!/usr/bin/env python3
"""Measure a large day: generate its log files, convert them, and run the whole `dbt build` over them.

    python scripts/tools/benchmark.py [--events 1000000] [--keep DIR]

The events are the sample logs' own, copied many times with other ids, times and keys, in a mix as it is found in real
trails: mostly reads, a quarter data events, some findings of every requirement. The same events every time. Prints
what it measured beside the targets, and asserts nothing: how long it takes is the machine's business, too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from isal import isal_zlib

PROJECT = Path(__file__).resolve().parents[2]
DAY = "2026-03-10"
FILES = 200
BYTES_PER_EVENT = 1_700
TARGETS = {"events/s converted": 80_000, "seconds of dbt build": 30, "GB of memory": 2}

# How many of 200 files each account and region of the sample delivers, and how many of 100 events are of which sort.
FOLDERS = {
    "111122223333/CloudTrail/us-east-1": 140,
    "111122223333/CloudTrail/eu-west-1": 40,
    "444455556666/CloudTrail/us-east-1": 15,
    "444455556666/CloudTrail/eu-west-1": 5,
}
SORTS = {"read": 67, "data": 27, "cardholder data": 5, "other": 1}
OTHER_STORES = {
    "example-pay-cardholder-data": "example-pay-shop-assets",
    "example-pay-settlement": "example-pay-newsletter",
    "example-pay-cloudtrail-logs": "example-pay-shop-backup",
    "payment-tokens": "shopping-carts",
    "1234abcd-12ab-34cd-56ef": "5678dcba-56dc-78ba-90fe",
}


def _sort(event: dict[str, Any]) -> str:
    if "errorCode" in event or "eventName" not in event:
        return "other"
    if event.get("managementEvent") is False:
        return "cardholder data"
    return "read" if event.get("readOnly") else "other"


@cache
def _templates(folder: str) -> tuple[list[str], list[float]]:
    """Events of the sample in which {id}, {time}, {n} and {pad} are to be replaced, and how frequent each is."""
    sorts: dict[str, dict[str, str]] = {sort: {} for sort in SORTS}
    for path in sorted((PROJECT / "sample_logs" / "AWSLogs" / folder).rglob(f"{DAY.replace('-', '/')}/*.json.gz")):
        for event in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            call = f"{event.get('eventSource')} {event.get('eventName')} {event.get('errorCode')}"
            event |= {"eventID": "{id}", "requestID": "{id}", "eventTime": f"{DAY}T{{time}}Z"}
            if "key" in (event.get("requestParameters") or {}) and event["eventSource"] == "s3.amazonaws.com":
                event["requestParameters"]["key"] = "records/{n}.json.enc"
            event["additionalEventData"] = {**(event.get("additionalEventData") or {}), "x-amz-id-2": "{pad}"}
            text = json.dumps(event, separators=(",", ":"))
            sorts[_sort(event)].setdefault(call, text)
    for call, text in sorts["cardholder data"].items():
        for store, other in OTHER_STORES.items():
            text = text.replace(store, other)
        sorts["data"][call] = text
    found = [
        (text, SORTS[sort] / len(templates))
        for sort, templates in sorts.items()
        for text in templates.values()  # an account without data events has more of the others
    ]
    return [text for text, _ in found], list(accumulate(weight for _, weight in found))


def _write_log_file(arguments: tuple[Path, int, int]) -> int:
    """Writes the log file of that number with that many events; returns its size as JSON."""
    logs, number, events = arguments
    folder = next(folder for folder, end in zip(FOLDERS, accumulate(FOLDERS.values()), strict=True) if number < end)
    account, _, region = folder.split("/")
    templates, weights = _templates(folder)
    parts = {text: re.split(r"\{(id|time|n|pad)\}", text) for text in templates}
    chance = random.Random(number)  # noqa: S311  # the same events every time
    records = []
    for text in chance.choices(templates, cum_weights=weights, k=events):
        second = chance.randrange(86_400)
        values = {
            "id": "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}".format(*map(chance.getrandbits, (32, 16, 12, 12, 48))),
            "time": f"{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}",
            "n": str(chance.randrange(1_000_000)),
            "pad": f"{chance.getrandbits(400):x}".ljust(max(BYTES_PER_EVENT - len(text) - 80, 0), "="),
        }
        records.append("".join(values[part] if at % 2 else part for at, part in enumerate(parts[text])))
    content = f'{{"Records":[{",".join(records)}]}}'.encode()
    minute = number * 1_440 // FILES
    name = (
        f"{account}_CloudTrail_{region}_{DAY.replace('-', '')}T{minute // 60:02}{minute % 60:02}Z_{number:016}.json.gz"
    )
    path = logs / "AWSLogs" / folder / DAY.replace("-", "/") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(isal_zlib.compress(content, 3, 31))
    return len(content)


def generate(logs: Path, events: int) -> int:
    """Writes the day's log files; returns how many bytes of JSON they hold."""
    counts = [events // FILES + (number < events % FILES) for number in range(FILES)]
    with ProcessPoolExecutor() as pool:
        return sum(pool.map(_write_log_file, [(logs, number, count) for number, count in enumerate(counts)]))


@dataclass(frozen=True)
class Measured:
    """What a process took."""

    seconds: float
    cpu_seconds: float
    peak_gb: float
    exit_code: int


def measure(command: Sequence[str], **environment: str) -> Measured:
    """Runs a command in the project's folder to its end."""
    begun = time.perf_counter()
    process = subprocess.Popen(command, cwd=PROJECT, env={**os.environ, **environment})  # noqa: S603  # ours
    _, status, usage = os.wait4(process.pid, 0)  # the use of resources of this process alone
    process.returncode = os.waitstatus_to_exitcode(status)
    to_gb = 1e9 if sys.platform == "darwin" else 1e6  # ru_maxrss is in bytes there, in kB elsewhere
    seconds = time.perf_counter() - begun
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / to_gb, process.returncode)


CONVERT = """
import sys
from datetime import date
from pathlib import Path
from pci_log_review.cloudtrail.deliveries import trails
from pci_log_review.warehouse.lake import convert_day
from pci_log_review.cloudtrail.store import open_store
logs, day, lake = sys.argv[1:]
scope = frozenset((trail.account_id, trail.region) for trail in trails(open_store(logs)))
files = convert_day(logs, date.fromisoformat(day), scope, Path(lake))
print(f"{sum(file.events for file in files):,} events of {len(files)} files,",
      f"{sum(bool(file.problem) for file in files)} with a problem")
"""


def _size_mb(path: Path) -> float:
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file()) / 1e6


def _slowest(target_path: Path, count: int = 15) -> Iterator[str]:
    results = json.loads((target_path / "run_results.json").read_text())["results"]
    for kind in ("seed", "model", "test", "unit_test"):
        of_kind = [result for result in results if result["unique_id"].startswith(f"{kind}.")]
        if of_kind:
            yield f"  {sum(result['execution_time'] for result in of_kind):6.2f} s  {len(of_kind)} {kind}s together"
    for result in sorted(results, key=lambda result: -result["execution_time"])[:count]:
        yield f"  {result['execution_time']:6.2f} s  {result['unique_id'].replace('pci_log_review.', '')}"


def _report(name: str, value: float, digits: int = 0) -> None:
    target = TARGETS[name]
    print(f"{name:22} {value:>10,.{digits}f}   target {target:>7,}   {value / target:.2f} of it", flush=True)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="pci-log-review-benchmark-") as folder:
            yield Path(folder)


def run(folder: Path, events: int) -> int:
    """Generates, converts and builds in `folder`; returns the exit code of what failed, or of dbt."""
    logs, state = folder / "logs", folder / "state"
    target_path = state / "target"
    begun = time.perf_counter()
    size = generate(logs, events)
    os.sync()  # else the disk is still busy with the generated files while the others are measured
    delivered = _size_mb(logs)
    print(f"Generated {events:,} events of {size / max(events, 1):,.0f} bytes in {FILES} files", end=": ")
    print(f"{size / 1e9:.2f} GB of JSON, {delivered:,.0f} MB as delivered, in {time.perf_counter() - begun:.0f} s")
    print("\nThe conversion alone", flush=True)
    (folder / "convert.py").write_text(CONVERT)  # DuckDB takes `python -c` for a person, who is shown a progress bar
    converted = measure([sys.executable, str(folder / "convert.py"), str(logs), DAY, str(folder / "lake")])
    if converted.exit_code:
        return converted.exit_code
    print(f"{converted.seconds:.1f} s, {converted.cpu_seconds:.1f} s of CPU, {_size_mb(folder / 'lake'):,.0f} MB")
    _report("events/s converted", events / converted.seconds)
    _report("GB of memory", converted.peak_gb, 2)

    print("\ndbt build", flush=True)
    profiles = PROJECT if (PROJECT / "profiles.yml").is_file() else folder
    if profiles == folder:
        (folder / "profiles.yml").write_text((PROJECT / "profiles.example.yml").read_text())
    state.mkdir(exist_ok=True)
    built = measure(
        [
            *(sys.executable, "-W", "ignore", "-m", "dbt.cli.main", "--quiet", "build", "--target", "local"),
            *("--project-dir", str(PROJECT), "--profiles-dir", str(profiles)),
            *("--target-path", str(target_path), "--log-path", str(state / "logs")),
            *("--vars", json.dumps({"run_date": DAY}), "--exclude-resource-type", "unit_test"),
        ],
        PCI_LOG_REVIEW_LOGS=str(logs),
        PCI_LOG_REVIEW_STATE=str(state),
    )
    database = _size_mb(state / "review.duckdb")
    print(
        f"exit code {built.exit_code}, {built.cpu_seconds:.1f} s of CPU, lake {_size_mb(state / 'lake'):,.0f} MB,"
        f" database {database:,.0f} MB"
    )
    _report("seconds of dbt build", built.seconds, 1)
    _report("GB of memory", built.peak_gb, 2)
    print("\nThe slowest", *_slowest(target_path), sep="\n")
    return built.exit_code


def main() -> int:
    """Reads the arguments and runs."""
    parser = argparse.ArgumentParser(description="Generate a large day of logs, review it, and print how long it took.")
    parser.add_argument("--events", type=int, default=1_000_000, help="how many events (default: %(default)s)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in DIR, and leave logs, lake and database there")
    arguments = parser.parse_args()
    with _folder(arguments.keep) as folder:
        return run(folder, arguments.events)


if __name__ == "__main__":
    sys.exit(main())
