"""CloudTrail's public keys, with which it signs its digest files."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from ..common.errors import UsageError
from ..common.files import read_regular
from .store import LogStoreError

if TYPE_CHECKING:
    import boto3


# Around a rotation a digest may be signed with the key before it or after it.
KEYS_APART = timedelta(hours=3)


class SomeKeysMissing(LogStoreError):
    """Some regions could not be asked for their keys; `keys` are those of the others."""

    def __init__(self, reason: str, keys: list[PublicKey]) -> None:
        super().__init__(reason)
        self.keys = keys


@dataclass(frozen=True)
class PublicKey:
    """A key with which CloudTrail signed digests, as ListPublicKeys describes it: `der` is PKCS#1, times are aware.

    `fingerprint` is what its source calls it. `region` is where ListPublicKeys gave it; empty where a file did, so that
    nobody but its writer says that it is CloudTrail's.
    """

    fingerprint: str
    der: bytes
    valid_from: datetime
    valid_until: datetime
    region: str = field(default="", compare=False)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the key itself, in hex: a file may give any key any fingerprint."""
        return hashlib.sha256(self.der).hexdigest()

    def holds(self, signature: str, signed: str) -> bool:
        """Whether `signature` (hexadecimal) is this key's for the text `signed`."""
        try:
            _rsa(self.der).verify(bytes.fromhex(signature), signed.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError, UnsupportedAlgorithm):
            return False
        return True


# Regions, each with the times at which digests were backfilled there
KeysWanted = Mapping[str, Sequence[datetime]]
KeysOf = Callable[[KeysWanted], Sequence[PublicKey] | None]


def keys_from_file(path: Path) -> list[PublicKey]:
    """The keys in what `aws cloudtrail list-public-keys` printed; the output of several regions may follow each other.

    Raises UsageError where the file can't be read as that.
    """
    try:
        listed = [key for page in _json_values(read_regular(path).decode()) for key in page["PublicKeyList"]]
        return [
            _public_key(
                key["Fingerprint"],
                base64.b64decode(key["Value"], validate=True),
                _time(key["ValidityStartTime"]),
                _time(key["ValidityEndTime"]),
            )
            for key in listed
        ]
    except KeyError as error:
        raise UsageError(f"{path}: not what `aws cloudtrail list-public-keys` prints: there is no {error}") from error
    except (OSError, ValueError, TypeError, OverflowError, RecursionError, UnsupportedAlgorithm) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UsageError(f"{path}: not what `aws cloudtrail list-public-keys` prints: {reason}") from error


def keys_from_cloudtrail(session: boto3.Session, wanted: KeysWanted, run_date: date) -> list[PublicKey]:
    """The keys with which CloudTrail signed in the regions from the day before `run_date` to the day after it, and when
    digests were backfilled.

    Asks ListPublicKeys in each region. Raises LogStoreError where none can be asked, SomeKeysMissing where one can't:
    the regions are folders' names, so one that does not exist must not keep the others' digests from being checked.
    """
    start = datetime.combine(run_date - timedelta(days=1), time(), UTC)
    end = min(start + timedelta(days=3), datetime.now(UTC))
    keys: list[PublicKey] = []
    reasons: list[str] = []
    for region, backfilled in wanted.items():
        times = [(start, end), *((time - KEYS_APART, time + KEYS_APART) for time in backfilled)]
        try:
            client = session.client("cloudtrail", region_name=region)
            paginator = client.get_paginator("list_public_keys")
            keys += [
                _public_key(key["Fingerprint"], key["Value"], key["ValidityStartTime"], key["ValidityEndTime"], region)
                for begin, until in times
                for page in paginator.paginate(StartTime=begin, EndTime=until)
                for key in page["PublicKeyList"]
            ]
        except (BotoCoreError, ClientError, ValueError, UnsupportedAlgorithm) as error:
            reasons.append(f"digests: cannot list CloudTrail's public keys in {region}: {error}")
    if not reasons:
        return keys
    raise SomeKeysMissing(reasons[0], keys) if len(reasons) < len(wanted) else LogStoreError(reasons[0])


def _public_key(
    fingerprint: str, der: bytes, valid_from: datetime, valid_until: datetime, region: str = ""
) -> PublicKey:
    _rsa(der)
    if not isinstance(fingerprint, str):
        raise TypeError("the fingerprint is not text")
    return PublicKey(fingerprint, der, valid_from, valid_until, region)


def _rsa(der: bytes) -> RSAPublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("a key is not an RSA key")
    return key


def _time(value: Any) -> datetime:
    if isinstance(value, str):
        found = datetime.fromisoformat(value)
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return datetime.fromtimestamp(value, UTC)


def _json_values(text: str) -> Iterator[Any]:
    decoder, rest = json.JSONDecoder(), text.strip()
    while True:
        value, end = decoder.raw_decode(rest)
        yield value
        rest = rest[end:].lstrip()
        if not rest:
            return
