"""Whether a place holds CloudTrail's logs and, if it does not, which place near it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from .deliveries import ROOT
from .kinds import KINDS
from .store import LogStore, LogStoreError

_IS_ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}").fullmatch
_IS_ACCOUNT = re.compile(r"[0-9]{12}").fullmatch
_LOOKED_INTO = 100  # folders, in search of the right one
_LEVELS = 3


def accounts(store: LogStore) -> dict[str, str]:
    """The folder of each account below the store's AWSLogs/, by the account's id.

    Raises LogStoreError, which names the place to give instead where it can be told, if there is none with CloudTrail's
    logs or the place can't be listed.
    """
    found = dict(_accounts(store))
    if not found:
        raise LogStoreError(f"logs: no AWSLogs/ with accounts below {store.root}; {_instead(store)}")
    kinds = set(KINDS)
    if not any(kinds & set(store.folders(folder)) for folder in found.values()):
        raise LogStoreError(
            f"logs: no account in {_joined(store, ROOT)} has a folder CloudTrail/; is it the bucket of a trail?"
        )
    return found


def first_day_is_after(store: LogStore, day: date, folders: list[str]) -> date | None:
    """The first day that has files in the folders of these accounts, where it is after `day`; else None, as soon as
    one older is found. Raises LogStoreError if they can't be listed.
    """
    first: date | None = None
    for account in folders:
        for kind in sorted(set(KINDS) & set(store.folders(account))):
            for region in store.folders(f"{account}/{kind}"):
                oldest = _oldest(store, f"{account}/{kind}/{region}")
                if oldest and oldest <= day:
                    return None
                first = min(filter(None, (first, oldest)), default=None)
    return first


def _oldest(store: LogStore, folder: str) -> date | None:
    """The first day of a trail's folder."""
    parts: list[str] = []
    for digits in (4, 2, 2):
        number = re.compile(rf"[0-9]{{{digits}}}")
        names = [name for name in store.folders("/".join([folder, *parts])) if number.fullmatch(name)]
        if not names:
            return None
        parts.append(names[0])
    try:
        return date.fromisoformat("-".join(parts))
    except ValueError:
        return None


def _accounts(store: LogStore) -> Iterator[tuple[str, str]]:
    for name in store.folders(ROOT):
        if _IS_ORGANIZATION(name):
            yield from ((account, f"{ROOT}/{name}/{account}") for account in store.folders(f"{ROOT}/{name}"))
        else:
            yield name, f"{ROOT}/{name}"


def _instead(store: LogStore) -> str:
    """What to give as the place of the logs."""
    parts = store.root.rstrip("/").split("/")
    if ROOT in parts:
        above = "/".join(parts[: len(parts) - 1 - parts[::-1].index(ROOT)])
        return f"give the place that holds it, {above or '/'}"
    below = _below(store)
    if below is not None:
        return f"give {_joined(store, below)}"
    names = store.folders("")
    if any(map(_IS_ACCOUNT, names)) or any(map(_IS_ORGANIZATION, names)):
        return f"accounts lie directly in it: they have to lie in a folder {ROOT}/, as CloudTrail writes them"
    return "name the folder that holds it"


def _below(store: LogStore) -> str | None:
    """A folder below the store's root that holds AWSLogs/."""
    level, looked_into = [""], 0
    for _ in range(_LEVELS):
        following: list[str] = []
        for folder in level:
            names = store.folders(folder)
            if folder and ROOT in names:
                return folder
            following += [f"{folder}/{name}".strip("/") for name in names]
            looked_into += 1
            if looked_into > _LOOKED_INTO:
                return None
        level = following
    return None


def _joined(store: LogStore, folder: str) -> str:
    return f"{store.root.rstrip('/')}/{folder}"
