"""What CloudTrail delivered for a day: the files in its folders, of every account and region."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import chain

from .kinds import KINDS, REVIEWED
from .store import PARALLEL_READS, LogStore, LogStoreError, StoredFile
from .strays import NOT_REVIEWED, strays

ROOT = "AWSLogs"


@dataclass(frozen=True)
class Trail:
    """A folder in which CloudTrail writes the days of one account, region and kind of file."""

    folder: str
    account_id: str
    region: str
    kind: str


@dataclass(frozen=True)
class Delivery:
    """One file that was delivered on the day; `log_file` is its key from `AWSLogs/` on.

    `modified` is when it was last written, as the store tells it. `problem` says why nothing reads it, because of where
    it lies: then it is no log file for digests, either.
    """

    log_file: str
    account_id: str
    region: str
    kind: str
    size: int
    etag: str | None = None
    modified: str | None = None
    problem: str | None = None


def trails(store: LogStore) -> list[Trail]:
    """Every account and region below the store's AWSLogs/, with or without an organization's folder.

    Raises LogStoreError where there is no AWSLogs/ at all: a wrong path must not look like a quiet day.
    """
    first = store.folders(ROOT)
    if not first:
        raise LogStoreError(f"logs: no AWSLogs/ with accounts below {store.root}; name the folder that holds it")
    with ThreadPoolExecutor(PARALLEL_READS) as pool:

        def below(folders: list[str]) -> list[str]:
            found = pool.map(store.folders, folders)
            return [f"{folder}/{name}" for folder, names in zip(folders, found, strict=True) for name in names]

        is_organization = re.compile(r"o-[a-z0-9]{10,32}").fullmatch
        organizations = [f"{ROOT}/{name}" for name in first if is_organization(name)]
        accounts = [f"{ROOT}/{name}" for name in first if not is_organization(name)] + below(organizations)
        kinds = [folder for folder in below(accounts) if _name(folder) in KINDS]
        return [_trail(folder) for folder in below(kinds)]


def deliveries(store: LogStore, run_date: date, known: list[Trail] | None = None) -> list[Delivery]:
    """Every file delivered on `run_date` (UTC, as the folder says), sorted by its name, and those that may be of
    that day though they lie where no trail writes.

    `known` is trails(store), where it was listed already.
    """
    found = trails(store) if known is None else known
    day = f"{run_date:%Y/%m/%d}"
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        listed = pool.map(store.files, [f"{trail.folder}/{day}" for trail in found])
        files = list(chain.from_iterable(map(_deliveries, found, listed)))
    logs = [(trail.folder, trail.account_id, trail.region) for trail in found if trail.kind in REVIEWED]
    files += [
        _delivery(stray.file, stray.account_id, stray.region, "log", NOT_REVIEWED)
        for stray in strays(store, ROOT, logs, run_date)
    ]
    return sorted(files, key=lambda delivery: delivery.log_file)


def changes(before: list[Delivery], after: list[Delivery]) -> list[tuple[str, str]]:
    """The files that differ between two listings of a day, and what happened to each: 'appeared', 'vanished' or
    'changed'. One that was replaced and put back is found, too: it was written again.
    """
    then, now = ({file.log_file: file for file in listed} for listed in (before, after))
    what = dict.fromkeys(now.keys() - then.keys(), "appeared") | dict.fromkeys(then.keys() - now.keys(), "vanished")
    what |= {name: "changed" for name in then.keys() & now.keys() if then[name] != now[name]}
    return sorted(what.items())


def _deliveries(trail: Trail, files: list[StoredFile]) -> Iterator[Delivery]:
    for file in files:
        # Hive and Athena skip such names as hidden; log files never have one.
        is_hidden = any(part.startswith((".", "_")) for part in file.key[len(trail.folder) :].split("/"))
        if not is_hidden or trail.kind in REVIEWED:
            problem = NOT_REVIEWED if is_hidden else None
            yield _delivery(file, trail.account_id, trail.region, trail.kind, problem)


def _delivery(file: StoredFile, account_id: str, region: str, kind: str, problem: str | None) -> Delivery:
    return Delivery(
        _in_utf8(file.key), _in_utf8(account_id), _in_utf8(region), kind, file.size, file.etag, file.modified, problem
    )


def _trail(folder: str) -> Trail:
    account_id, kind, region = folder.split("/")[-3:]
    return Trail(folder, account_id, region, KINDS[kind])


def _in_utf8(name: str) -> str:
    """The name in valid UTF-8. A file in a folder may have one that is not; it can't be opened by this name, and so is
    reported as unreadable.
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _name(path: str) -> str:
    return path.rpartition("/")[2]
