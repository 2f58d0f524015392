"""Writes the generated logs: days of CloudTrail files, with digests or without, and the settings that fit them."""

from __future__ import annotations

import csv
import hashlib
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from isal import isal_zlib

from tools import make_sample_logs as sample
from tools.benchmark import mix

PROJECT = Path(__file__).resolve().parents[3]
DAY = "2026-03-10"
_LAST_DAY = date.fromisoformat(DAY)
EVENTS_PER_FILE = 5_000
_MOST_OF_A_FILE = 2_200  # bytes of JSON for each of its events

# How many of 200 files each account and region of the sample delivers.
_SAMPLE_PLACES = {
    ("111122223333", "us-east-1"): 140,
    ("111122223333", "eu-west-1"): 40,
    ("444455556666", "us-east-1"): 15,
    ("444455556666", "eu-west-1"): 5,
}
Place = tuple[str, str]


@dataclass(frozen=True)
class Shape:
    """Which logs to write: so many events for each of the days, ending with the last.

    With `accounts` none, the places are the sample's two accounts in two regions; else so many accounts in one region.
    """

    events: int
    events_per_file: int = EVENTS_PER_FILE
    accounts: int | None = None
    days: int = 1
    last: date = _LAST_DAY
    digests: bool = False

    @property
    def all_days(self) -> list[date]:
        """The days, oldest first."""
        return [self.last - timedelta(days=back) for back in reversed(range(self.days))]

    @property
    def places(self) -> list[Place]:
        """The place of each file of a day."""
        shares = _SAMPLE_PLACES
        if self.accounts:
            shares = {
                (f"{number:012}", "us-east-1"): 1 for number in range(100_000_000_000, 100_000_000_000 + self.accounts)
            }
        files = max(len(shares), self.events // self.events_per_file)
        every = [place for place, share in shares.items() for _ in range(share)]
        rest = files - len(shares)
        return sorted([*shares, *(every[number * len(every) // rest] for number in range(rest))])


@dataclass(frozen=True)
class Logs:
    """What was written: where, its shape, and what a review of one of its days has to find."""

    folder: Path
    shape: Shape
    json_bytes: int
    gzip_bytes: int
    findings: dict[str, int]

    @property
    def files(self) -> int:
        """Log files of a day."""
        return len(self.shape.places)

    @property
    def settings(self) -> Path:
        """The settings, whose scope are the accounts and regions that deliver."""
        return self.folder / "settings"

    @property
    def public_keys(self) -> Path | None:
        """The key that signed the digests, if there are any."""
        return self.folder / "public_keys.json" if self.shape.digests else None

    @property
    def largest_object(self) -> int:
        """Bytes that suffice for the largest file, which is one JSON object."""
        return max(1 << 24, (self.shape.events // self.files + 1) * _MOST_OF_A_FILE)


@dataclass(frozen=True)
class _File:
    folder: Path
    place: Place
    day: date
    number: int
    name: str
    first: int
    events: int
    hashed: bool


def generate(folder: Path, events: int) -> Logs:
    """Writes the log files of DAY below a folder, in the sample's accounts and regions."""
    return write_logs(folder, Shape(events))


def write_logs(folder: Path, shape: Shape) -> Logs:
    """Writes log files, digests and settings of that shape below a folder."""
    files = [file for day in shape.all_days for file in _files(folder, shape, day)]
    with ProcessPoolExecutor() as pool:
        written = list(pool.map(_write_file, files, chunksize=max(1, min(20, len(files) // 8))))
    _write_settings(folder / "settings", shape)
    if shape.digests:
        _write_digests(folder, shape, files, [digest for _, _, digest in written])
    os.sync()  # else the disk is still busy with these files while the review is measured
    json_bytes, gzip_bytes = (sum(sizes) for sizes in list(zip(*written, strict=True))[:2])
    return Logs(folder, shape, json_bytes, gzip_bytes, mix.findings(shape.events))


def _files(folder: Path, shape: Shape, day: date) -> Iterator[_File]:
    places = shape.places
    per_file, more = divmod(shape.events, len(places))
    of_place: dict[Place, int] = defaultdict(int)
    first = 0
    for number, place in enumerate(places):
        minute = of_place[place] * 1_440 // places.count(place) if shape.accounts is None else number % 1_440
        of_place[place] += 1
        account, region = place
        stamp = f"{day:%Y%m%d}T{minute // 60:02}{minute % 60:02}Z"
        name = f"{account}_CloudTrail_{region}_{stamp}_{number:016}.json.gz"
        events = per_file + (number < more)
        yield _File(folder, place, day, number, name, first, events, shape.digests)
        first += events


def _key(file: _File) -> str:
    account, region = file.place
    return f"AWSLogs/{account}/CloudTrail/{region}/{file.day:%Y/%m/%d}/{file.name}"


def _write_file(file: _File) -> tuple[int, int, str]:
    """Writes a log file; returns its size as JSON and as delivered, and its hash where one is needed."""
    content = f'{{"Records":[{",".join(mix.records(*file.place, file.day, file.first, file.events))}]}}'.encode()
    packed = isal_zlib.compress(content, 3, 31)
    path = file.folder / _key(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed)
    return len(content), len(packed), hashlib.sha256(content).hexdigest() if file.hashed else ""


def _write_settings(settings: Path, shape: Shape) -> None:
    """The sample's settings, but for the scope, which is written as `pci-log-review init` writes it."""
    shutil.copytree(PROJECT / "seeds" / "settings", settings)
    places = sorted(set(shape.places))
    with (settings / "trail_scope.csv").open("w", newline="", encoding="utf-8") as file:
        scope = csv.writer(file)
        scope.writerow(["account_id", "account_name", "region", "in_cde", "logs_expected"])
        scope.writerows([account, "", region, "true", "daily"] for account, region in places)
        scope.writerows(
            [account, "", "*", "true", "may be quiet"] for account in sorted({place[0] for place in places})
        )
    with (settings / "digest_trails.csv").open("w", newline="", encoding="utf-8") as file:
        trails = csv.writer(file)
        trails.writerow(["trail", "home_region", "account_id", "region", "since", "reason", "approved_by"])
        if shape.digests:
            trails.writerows(["example-pay-trail", "us-east-1", *place, shape.all_days[0], "", ""] for place in places)


def _write_digests(folder: Path, shape: Shape, files: list[_File], hashes: list[str]) -> None:
    key = sample.sample_key()
    sample.write_public_key(folder, key)
    logs: dict[Place, list[sample.Json]] = defaultdict(list)
    for file, digest in zip(files, hashes, strict=True):
        named = {"s3Bucket": sample.LOGS, "s3Object": _key(file), "hashValue": digest, "hashAlgorithm": "SHA-256"}
        logs[file.place].append(named)
    first = f"{shape.all_days[0] - timedelta(days=1)}T23:36:00Z"
    for (account, region), delivered in logs.items():
        sample.write_digests(folder, account, region, first, 24 * shape.days + 2, delivered, key)
