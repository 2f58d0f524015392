"""Files below AWSLogs/ that lie where no trail of CloudTrail's writes: nothing reads them, so they must be named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import chain

from .kinds import KINDS, REVIEWED
from .store import PARALLEL_READS, LogStore, StoredFile

NOT_REVIEWED = (
    "lies where CloudTrail writes no log file, so it was not reviewed; "
    "move it to where it belongs, or out of AWSLogs/ if it is none"
)
_UNKNOWN = "-"
_YEAR, _PART = re.compile(r"[0-9]{4}"), re.compile(r"[0-9]{2}")
_DAY_IN_NAME = re.compile(r"_([0-9]{4})([0-9]{2})([0-9]{2})T[0-9]{4,6}Z")
_DAY_IN_PATH = re.compile(r"/0*([0-9]{4})/0*([0-9]{1,2})/0*([0-9]{1,2})/")
_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")
_ACCOUNT = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Stray:
    """A file and the account and region of its folder, as far as its path has them."""

    file: StoredFile
    account_id: str
    region: str


@dataclass(frozen=True)
class _Folder:
    path: str
    account_id: str
    region: str = ""


def strays(store: LogStore, root: str, log_folders: Iterable[tuple[str, str, str]], run_date: date) -> list[Stray]:
    """The files of `run_date`, or of no day that their name or folder tells, in no folder that a trail writes to.

    `log_folders` are the folders of log files by region: each with its account and region. Hidden files in a day's own
    folder are not looked for.
    """
    accounts, found = _in_root(store, root)
    trails = [_Folder(*folder) for folder in log_folders]
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        below = pool.map(lambda account: list(_in_account(store, account)), accounts)
        beside = pool.map(lambda trail: list(_in_trail(store, run_date, trail)), trails)
        found += chain.from_iterable(chain(below, beside))
    return [stray for stray in found if _may_be_of(stray.file.key, run_date)]


def _in_root(store: LogStore, root: str) -> tuple[list[_Folder], list[Stray]]:
    """The accounts, and the files beside them."""
    names, files = store.level(root)
    accounts = []
    for name in names:
        if _ORGANIZATION.fullmatch(name):
            inner, beside = store.level(f"{root}/{name}")
            files = [*files, *beside]
            accounts += [_Folder(f"{root}/{name}/{account}", account) for account in inner]
        else:
            accounts.append(_Folder(f"{root}/{name}", name))
    return accounts, [Stray(file, _UNKNOWN, _UNKNOWN) for file in files]


def _in_account(store: LogStore, account: _Folder) -> Iterator[Stray]:
    names, files = store.level(account.path)
    alike = {kind.casefold() for kind in KINDS}
    is_account = _ACCOUNT.fullmatch(account.account_id) or not alike.isdisjoint(map(str.casefold, names))
    for name in names:
        folder = f"{account.path}/{name}"
        if name in KINDS:
            files = [*files, *(store.level(folder)[1] if KINDS[name] in REVIEWED else [])]
        elif not is_account or name.strip().casefold() in alike or name.startswith(("_", ".", "CloudTrail-")):
            files = [*files, *store.files(folder)]
    yield from (Stray(file, account.account_id, _region(file.key, account.path)) for file in files)


def _in_trail(store: LogStore, run_date: date, trail: _Folder) -> Iterator[Stray]:
    """What lies beside the folders of years, of the year's months and of the month's days."""
    path = trail.path
    for own, is_one in ((f"{run_date:%Y}", _YEAR), (f"{run_date:%m}", _PART), ("", _PART)):
        names, files = store.level(path)
        for name in names:
            if not is_one.fullmatch(name):
                files = [*files, *store.files(f"{path}/{name}")]
        yield from (Stray(file, trail.account_id, trail.region) for file in files)
        if own not in names:
            return
        path = f"{path}/{own}"


def _region(key: str, account: str) -> str:
    parts = key[len(account) + 1 :].split("/")
    return parts[1] if len(parts) > 2 else _UNKNOWN


def _may_be_of(key: str, day: date) -> bool:
    """Whether its name, or else its folder, tells this day; what tells none, and is named as a log file, may be."""
    if told := _DAY_IN_NAME.search(key.rpartition("/")[2]) or _DAY_IN_PATH.search(key):
        return tuple(map(int, told.groups())) == (day.year, day.month, day.day)
    return key.endswith((".json", ".json.gz"))
