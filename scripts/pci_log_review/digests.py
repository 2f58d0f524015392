"""Checks a day's log files against the digest files in which CloudTrail names them, hashes them and signs for them.

The rules are those of the AWS CloudTrail User Guide: "CloudTrail digest file structure" and "Custom implementations of
CloudTrail log file integrity validation". A digest covers the log files of about an hour; it names the digest before
it, so that a trail's digests are a chain in which none can be left out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import boto3
import msgspec
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from .deliveries import Delivery, trails
from .log_reader import MAX_BYTES, UnreadableLogFile, read_records, uncompressed
from .log_store import PARALLEL_READS, LogStore, LogStoreError, read_ahead
from .project import UsageError

MAX_DIGEST_BYTES = 1 << 25  # uncompressed; one that names ten thousand log files has some 3 MB
NO_DIGESTS = "integrity not proven: no digest files"

# A digest's window is about an hour. As far from each other may be the times that should be the same or follow soon:
# the end of a window and the time in the digest's name, a log file's name and the window in which it was delivered.
_HOUR = timedelta(hours=1)
# So far into the next day reach the digest that names the day's last log files, and the one that signs for it.
_SPILL = timedelta(hours=3)
_DIGEST_KEY = re.compile(
    r"(?P<account>AWSLogs/(?:o-[a-z0-9]{10,32}/)?(?P<id>[\w-]+))/CloudTrail-Digest/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/"
    r"(?P=id)_CloudTrail-Digest_(?P=region)_(?P<trail>[\w.-]+_[a-z0-9-]+)_(?P<end>\d{8}T\d{6}Z)(?P<backfill>_backfill)?"
    r"\.json\.gz",
    re.ASCII,
)
_LOG_TIME = re.compile(r"_(\d{8}T\d{4}Z)_", re.ASCII)


@dataclass(frozen=True)
class PublicKey:
    """A key with which CloudTrail signed digests, as ListPublicKeys describes it: `der` is PKCS#1, times are aware."""

    fingerprint: str
    der: bytes
    valid_from: datetime
    valid_until: datetime


@dataclass(frozen=True)
class Checked:
    """What digests say of one delivered (or vanished) file.

    `log_file` is the key from AWSLogs/ on and `kind` 'log' or 'digest'. `sha256` is of the file as delivered, and None
    where it was not read; `records` is the number of a log file's records, and None where they can't be read.
    `is_proven`: a faultless digest whose signature holds names the file with its hash (a digest: its own signature
    holds). `is_gone`: a digest names it, and it is not there. `fault` and `problem` (why the records can't be read)
    continue the file's name: 'was changed …'.
    """

    log_file: str
    account_id: str
    region: str
    kind: str
    sha256: str | None
    records: int | None
    is_proven: bool
    is_gone: bool
    fault: str | None
    problem: str | None = None


@dataclass(frozen=True)
class Integrity:
    """The result for a day: its files, sorted by name, and one line for the evidence.

    `files` holds the day's log files in accounts and regions that have digests, the day's digests, whatever is gone,
    and those digests of the days around it that are needed for this one and have a fault.
    """

    files: list[Checked]
    summary: str


def keys_from_file(path: Path) -> list[PublicKey]:
    """The keys in what `aws cloudtrail list-public-keys` printed; the output of several regions may follow each other.

    Raises UsageError where the file can't be read as that.
    """
    try:
        listed = [key for page in _json_values(path.read_text("utf-8")) for key in page["PublicKeyList"]]
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


def keys_from_cloudtrail(regions: Iterable[str], run_date: date) -> list[PublicKey]:
    """The keys with which CloudTrail signed in `regions` from the day before `run_date` to the day after it.

    Asks ListPublicKeys in each region. Raises LogStoreError where one can't be asked.
    """
    start = datetime.combine(run_date - timedelta(days=1), time(), UTC)
    end = min(start + timedelta(days=3), datetime.now(UTC))
    keys = []
    for region in regions:
        try:
            client: Any = boto3.client("cloudtrail", region_name=region)
            asked: dict[str, Any] = {"StartTime": start, "EndTime": end}
            while True:
                page = client.list_public_keys(**asked)
                keys += [
                    _public_key(key["Fingerprint"], key["Value"], key["ValidityStartTime"], key["ValidityEndTime"])
                    for key in page["PublicKeyList"]
                ]
                if not page.get("NextToken"):
                    break
                asked["NextToken"] = page["NextToken"]
        except (BotoCoreError, ClientError, ValueError, UnsupportedAlgorithm) as error:
            raise LogStoreError(f"digests: cannot list CloudTrail's public keys in {region}: {error}") from error
    return keys


def check_digests(
    store: LogStore,
    run_date: date,
    delivered: list[Delivery],
    keys_of: Callable[[list[str]], Sequence[PublicKey] | None],
) -> Integrity:
    """Checks the log files and digests of `run_date` (UTC): hashes, the digests' chain, and with keys signatures.

    `delivered` is deliveries(store, run_date). `keys_of` gives CloudTrail's public keys of the regions of the digests;
    it is not asked where there are none. Without keys (None, or LogStoreError) nothing is proven, but what does not fit
    is found all the same. Whatever is in the files, it becomes a fault of theirs. Raises LogStoreError where the store
    can't be listed.
    """
    places = _Places(store, run_date, delivered)
    if not places.wanted and not places.misnamed:
        return Integrity([], NO_DIGESTS)
    no_keys = ""
    try:
        keys = keys_of(sorted({place.region for place in places.wanted.values()}))
    except LogStoreError as error:
        keys, no_keys = None, f" ({error})"
    digests, gone = _load(store, places, with_metadata=keys is not None)
    _check_chains(digests.values(), places)
    if keys is not None:
        _check_signatures(digests.values(), keys)
    _check_overlaps(digests.values())
    logs = [file for file in delivered if file.kind == "log"]
    checked, matching = _check_logs(store, run_date, logs, list(digests.values()))
    # Digests of the days around are the matter of those days, unless this day's proof hangs on a faulty one.
    shown = [
        digest.checked()
        for key, digest in digests.items()
        if key in places.of_day or (digest.fault and digest.begin < places.day_end)
    ]
    files = sorted(checked + shown + gone + places.misnamed, key=lambda file: file.log_file)
    signed = [
        digest
        for key, digest in digests.items()
        if key in places.wanted and digest.checked().is_proven and digest.begin < places.day_end
    ]
    return Integrity(files, _summary(files, len(logs), matching, None if keys is None else len(signed)) + no_keys)


# ------------------------------------------------------------------------------------------------ where the digests are
@dataclass(frozen=True)
class _Place:
    """A digest file that is there or should be, as its key tells.

    `account` is the account's folder, `chain` tells the trail's digests there from others, `end` is the time in its
    name, and `size` is in bytes.
    """

    key: str
    size: int
    account: str
    account_id: str
    region: str
    end: datetime
    chain: tuple[str, ...]
    is_backfill: bool

    @property
    def log_folder(self) -> str:
        return f"{self.account}/CloudTrail/{self.region}"


def _place(key: str, size: int = 0) -> _Place | None:
    """What `key` tells; None where it is not as CloudTrail names its digests."""
    found = _DIGEST_KEY.fullmatch(key)
    if found is None:
        return None
    try:
        end = datetime.strptime(found["end"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    account, region, is_backfill = found["account"], found["region"], found["backfill"] is not None
    chain = (account, region, found["trail"], str(is_backfill))
    return _Place(key, size, account, found["id"], region, end, chain, is_backfill)


class _Places:
    """The digest files that lie in the folders of the day, of the day before and of the day after.

    `wanted` are those of the day, and of the next day those that may name log files of this one.
    """

    def __init__(self, store: LogStore, run_date: date, delivered: list[Delivery]) -> None:
        self._store = store
        self.day_end = datetime.combine(run_date, time(), UTC) + timedelta(days=1)
        self.of_day: dict[str, _Place] = {}
        self.misnamed: list[Checked] = []
        for file in delivered:
            if file.kind == "digest":
                place = _place(file.log_file, file.size)
                if place:
                    self.of_day[place.key] = place
                else:
                    fault = "does not lie where CloudTrail delivers digests, or is not named as one"
                    self.misnamed.append(
                        Checked(file.log_file, file.account_id, file.region, "digest", None, None, False, False, fault)
                    )
        around = [run_date - timedelta(days=1), run_date + timedelta(days=1)]
        folders = [
            f"{trail.folder}/{day:%Y/%m/%d}" for trail in trails(store) if trail.kind == "digest" for day in around
        ]
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            listed = [_place(file.key, file.size) for files in pool.map(store.files, folders) for file in files]
        self._there = self.of_day | {place.key: place for place in listed if place}
        last = self.day_end + _SPILL
        self.wanted = self.of_day | {
            key: place for key, place in self._there.items() if self.day_end <= place.end < last
        }
        self._of_chain: dict[tuple[str, ...], list[_Place]] = defaultdict(list)
        for place in sorted(self._there.values(), key=lambda place: place.end):
            self._of_chain[place.chain].append(place)

    def find(self, named: _Place) -> _Place | None:
        """The digest as it lies there, whatever its day."""
        if named.key in self._there:
            return self._there[named.key]
        listed = {file.key: file.size for file in self._store.files(named.key.rpartition("/")[0])}
        return _place(named.key, listed[named.key]) if named.key in listed else None

    def first(self, place: _Place) -> _Place:
        """The oldest digest of the trail in these days."""
        return self._of_chain[place.chain][0] if place.chain in self._of_chain else place


# ----------------------------------------------------------------------------------------------- what is in the digests
class _NamedFile(msgspec.Struct, rename="camel"):
    s3_bucket: str
    s3_object: str
    hash_value: str
    hash_algorithm: str


class _Content(msgspec.Struct, rename="camel"):
    aws_account_id: str
    digest_start_time: str
    digest_end_time: str
    digest_s3_bucket: str
    digest_s3_object: str
    digest_public_key_fingerprint: str
    digest_signature_algorithm: str
    previous_digest_s3_bucket: str | None
    previous_digest_s3_object: str | None
    previous_digest_hash_value: str | None
    previous_digest_hash_algorithm: str | None
    previous_digest_signature: str | None
    log_files: list[_NamedFile]


_decode = msgspec.json.Decoder(_Content).decode


class _Fault(Exception):
    """A digest can't be taken for what it should be; the text continues its name."""


@dataclass
class _Digest:
    """A digest that was read, and what was found out about it. Where `content` is None, it could not be understood."""

    place: _Place
    sha256: str | None = None
    text_sha256: str | None = None
    content: _Content | None = None
    start: datetime | None = None
    end: datetime | None = None
    previous: _Place | None = None
    named: list[tuple[str, str]] = field(default_factory=list)  # key and SHA-256 of log files
    signature: str | None = None  # in the metadata
    next: list[_Digest] = field(default_factory=list)
    is_signed: bool = False
    fault: str | None = None

    @property
    def begin(self) -> datetime:
        return self.start or self.place.end - _HOUR

    def blame(self, fault: str) -> None:
        """Notes what is wrong with it; what was found first stays."""
        self.fault = self.fault or fault

    def checked(self) -> Checked:
        place, is_proven = self.place, self.is_signed and not self.fault
        return Checked(
            place.key, place.account_id, place.region, "digest", self.sha256, None, is_proven, False, self.fault
        )


def _load(store: LogStore, places: _Places, with_metadata: bool) -> tuple[dict[str, _Digest], list[Checked]]:
    """The digests of the day, with those that they name as the ones before them, and what of these is gone."""

    def read(place: _Place) -> tuple[bytes, dict[str, str]]:
        if place.size > MAX_DIGEST_BYTES:
            raise LogStoreError(f"is larger than {MAX_DIGEST_BYTES} bytes, so it was not read")
        return store.read(place.key), store.metadata(place.key) if with_metadata else {}

    def read_all(wanted: Iterable[_Place]) -> dict[str, _Digest]:
        return {place.key: _read_digest(place, found) for place, found in read_ahead(read, wanted)}

    digests = read_all(places.wanted.values())
    before: dict[str, _Place] = {}
    gone: dict[str, Checked] = {}
    for digest in digests.values():
        named = digest.previous
        if named is None or named.key in digests:
            continue
        found = places.find(named)
        if found:
            before[found.key] = found
        elif named.end - _HOUR < places.day_end:
            gone[named.key] = _gone(named.key, "digest", digest)
    digests |= read_all(before.values())
    for digest in digests.values():
        if digest.previous and digest.previous.key in digests:
            digests[digest.previous.key].next.append(digest)
    return digests, list(gone.values())


def _gone(key: str, kind: str, named_by: _Digest) -> Checked:
    fault = f"is gone: digest {_base(named_by.place.key)} names it"
    return Checked(key, named_by.place.account_id, named_by.place.region, kind, None, None, False, True, fault)


def _read_digest(place: _Place, found: Future[tuple[bytes, dict[str, str]]]) -> _Digest:
    digest = _Digest(place)
    try:
        data, metadata = found.result()
        digest.sha256 = hashlib.sha256(data).hexdigest()
        digest.signature = metadata.get("signature")
        text = uncompressed(data)
        if len(text) > MAX_DIGEST_BYTES:
            raise _Fault(f"holds more than {MAX_DIGEST_BYTES} bytes of JSON")
        digest.text_sha256 = hashlib.sha256(text).hexdigest()
        digest.content = _understood(bytes(text))
        _take_in(digest, digest.content)
    except (_Fault, LogStoreError, UnreadableLogFile) as error:
        digest.blame(str(error))
    return digest


def _understood(text: bytes) -> _Content:
    def refuse_two(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise _Fault("has a field twice; it is unclear which one is meant")

    try:
        content = _decode(text)
        json.loads(text.decode(), object_pairs_hook=refuse_two, parse_int=str)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _Fault(f"is not a CloudTrail digest: {error}") from error
    return content


def _take_in(digest: _Digest, content: _Content) -> None:
    """Takes from the content what the checks need, as far as it is about this digest and files beside it."""
    place = digest.place
    digest.start, digest.end = _utc(content.digest_start_time), _utc(content.digest_end_time)
    if not content.digest_s3_object.endswith(place.key) or content.digest_s3_object[: -len(place.key)][-1:] not in "/":
        raise _Fault(f"does not lie where it was delivered, which is {_shown(content.digest_s3_object)}")
    prefix = content.digest_s3_object[: -len(place.key)]

    def below(bucket: str, key: str) -> str:
        inside = key.removeprefix(prefix)
        parts = inside.split("/")
        is_safe = parts[0] == "AWSLogs" and key.isprintable() and not {"", ".", ".."} & set(parts)
        if bucket != content.digest_s3_bucket or not key.startswith(prefix) or not is_safe:
            raise _Fault(f"names a file elsewhere: s3://{_shown(bucket)}/{_shown(key)}")
        return inside

    for file in content.log_files:
        digest.named.append((below(file.s3_bucket, file.s3_object), file.hash_value))
    bucket, previous = content.previous_digest_s3_bucket, content.previous_digest_s3_object
    if bucket is not None and previous is not None:
        digest.previous = _place(below(bucket, previous))
        # where CloudTrail's backfill digests hang on is not documented
        if digest.previous is None or (digest.previous.chain != place.chain and not place.is_backfill):
            digest.previous = None
            digest.blame(f"names as the one before it what is no digest of its trail: {_shown(previous)}")
    rest = (bucket, previous, content.previous_digest_hash_value, content.previous_digest_signature)
    if len({value is None for value in rest}) > 1:
        digest.blame("names the digest before it only in part")
    algorithms = {file.hash_algorithm for file in content.log_files}
    algorithms.add(content.previous_digest_hash_algorithm or "SHA-256")
    if algorithms != {"SHA-256"} or content.digest_signature_algorithm != "SHA256withRSA":
        digest.blame("names an algorithm that is not CloudTrail's")
    if content.aws_account_id != place.account_id:
        digest.blame(f"is of account {_shown(content.aws_account_id)}, not of its folder's")
    if digest.start >= digest.end:
        digest.blame(f"begins at {content.digest_start_time}, which is not before its end")
    if abs(digest.end - place.end) > _HOUR:
        digest.blame(f"is backdated: it claims to end at {content.digest_end_time}, which is not the time in its name")


# ----------------------------------------------------------------------------------------------------------- the checks
def _check_chains(digests: Iterable[_Digest], places: _Places) -> None:
    for digest in digests:
        for following in digest.next:
            stated = following.content.previous_digest_hash_value if following.content else None
            if stated not in (None, digest.text_sha256):
                digest.blame(_changed(following))
            else:
                _check_link(digest, following)
        # Backfill digests come when there is something to fill in: they have no hour that follows the one before.
        if digest.content and digest.content.previous_digest_s3_object is None and not digest.place.is_backfill:
            first = places.first(digest.place)
            if first.end < digest.place.end:
                digest.blame(
                    f"claims to be the first of its chain, though {_base(first.key)} is older: "
                    "digests were removed, or logging or validation was off"
                )


def _changed(named_by: _Digest) -> str:
    return f"was changed after delivery: its SHA-256 is not the one in digest {_base(named_by.place.key)}"


def _check_link(digest: _Digest, following: _Digest) -> None:
    if digest.end and following.start and digest.end != following.start and not following.place.is_backfill:
        following.blame(
            f"does not follow the digest before it: it begins at {following.start:%Y-%m-%dT%H:%M:%SZ}, "
            f"and that one ends at {digest.end:%Y-%m-%dT%H:%M:%SZ}"
        )


def _check_overlaps(digests: Iterable[_Digest]) -> None:
    """Faults a digest beside the chain: one that no later one names, for a time that has another digest."""
    for chain in _chains(digests).values():
        for one, other in pairwise(chain):
            if one.end and other.begin < one.end:
                for digest, twin in ((one, other), (other, one)):
                    if not digest.next:
                        digest.blame(
                            f"covers the same time as digest {_base(twin.place.key)}, and no later digest names it"
                        )


def _chains(digests: Iterable[_Digest]) -> dict[tuple[str, ...], list[_Digest]]:
    """Each trail's faultless hourly digests by the time they begin; also where none of a trail's is faultless."""
    chains: dict[tuple[str, ...], list[_Digest]] = {}
    for digest in sorted(digests, key=lambda digest: (digest.begin, digest.place.key)):
        if not digest.place.is_backfill:
            chain = chains.setdefault(digest.place.chain, [])
            chain += [] if digest.fault else [digest]
    return chains


def _check_signatures(digests: Iterable[_Digest], keys: Sequence[PublicKey]) -> None:
    known = defaultdict(list)
    for key in keys:
        known[key.fingerprint].append(key)
    for digest in digests:
        if digest.content is None or digest.end is None or digest.text_sha256 is None:
            continue
        given = [following.content.previous_digest_signature for following in digest.next if following.content]
        signatures = {signature for signature in [digest.signature, *given] if signature is not None}
        try:
            usable = _usable_keys(digest, digest.content, digest.end, known)
            if len(signatures) > 1:
                raise _Fault("has a signature that is not the one which the digest after it gives for it")
            for signature in signatures:
                if not any(_holds(key, digest.content, digest.text_sha256, signature) for key in usable):
                    raise _Fault("has a signature that does not hold: it is not as CloudTrail signed it")
                digest.is_signed = True
        except _Fault as fault:
            digest.blame(str(fault))


def _usable_keys(
    digest: _Digest, content: _Content, end: datetime, known: dict[str, list[PublicKey]]
) -> list[PublicKey]:
    keys = known.get(content.digest_public_key_fingerprint)
    fingerprint = _shown(content.digest_public_key_fingerprint)
    if not keys:
        raise _Fault(f"is signed with key {fingerprint}, which is not among the public keys")
    # A backfill digest is signed when it is written, which can be long after its end.
    usable = [key for key in keys if end <= key.valid_until and (digest.place.is_backfill or key.valid_from <= end)]
    if not usable:
        raise _Fault(f"is signed with key {fingerprint}, which was not valid at its end, {content.digest_end_time}")
    return usable


def _holds(key: PublicKey, content: _Content, text_sha256: str, signature: str) -> bool:
    signed = "\n".join(
        [
            content.digest_end_time,
            f"{content.digest_s3_bucket}/{content.digest_s3_object}",
            text_sha256,
            "null" if content.previous_digest_signature is None else content.previous_digest_signature,
        ]
    )
    try:
        _rsa(key.der).verify(bytes.fromhex(signature), signed.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        return False
    return True


def _check_logs(
    store: LogStore, run_date: date, logs: list[Delivery], digests: list[_Digest]
) -> tuple[list[Checked], int]:
    """The day's log files where there are digests, those that are gone, and how many match a faultless digest."""
    names = _Names(run_date, digests)
    wanted = [file for file in logs if _log_folder(file) in names.folders]
    checked, matching = [], 0

    def read(file: Delivery) -> bytes:
        if file.size > MAX_BYTES:
            raise LogStoreError(f"is larger than {MAX_BYTES} bytes, so it was not read")
        return store.read(file.log_file)

    for file, found in read_ahead(read, wanted):
        sha256 = records = problem = fault = None
        is_matching = is_proven = False
        try:
            data = found.result()
        except LogStoreError as error:
            fault = str(error)
        else:
            sha256 = hashlib.sha256(data).hexdigest()
            records, problem = _count(file.log_file, data)
            is_matching, is_proven, fault = names.verdict(file, _text_sha256(file.log_file, data))
        matching += is_matching
        account_id, region = file.account_id, file.region
        checked.append(
            Checked(file.log_file, account_id, region, "log", sha256, records, is_proven, False, fault, problem)
        )
    there = {file.log_file for file in logs}
    gone = [_gone(key, "log", by[0][0]) for key, by in names.named.items() if key not in there]
    return checked + gone, matching


class _Names:
    """Which log files of the day the digests name, and what follows for those that are there."""

    def __init__(self, run_date: date, digests: list[_Digest]) -> None:
        self._run_date = run_date
        self.folders = {digest.place.log_folder for digest in digests}
        self.named: dict[str, list[tuple[_Digest, str]]] = defaultdict(list)
        for digest in digests:
            day = f"{digest.place.log_folder}/{run_date:%Y/%m/%d}/"
            for key, hash_value in digest.named:
                if key.startswith(day):
                    self.named[key].append((digest, hash_value))
        self._covered: dict[str, list[list[tuple[datetime, datetime]]]] = defaultdict(list)
        for (account, region, *_), chain in _chains(digests).items():
            self._covered[f"{account}/CloudTrail/{region}"].append(_windows(chain))

    def verdict(self, file: Delivery, text_sha256: str | None) -> tuple[bool, bool, str | None]:
        """Whether a faultless digest names the file with its hash, whether it is proven, and its fault."""
        by = self.named.get(file.log_file, [])
        if not by:
            return False, False, "is named by no digest" if self._is_covered(file) else None
        for digest, hash_value in sorted(by, key=lambda it: bool(it[0].fault)):  # the word of a faultless one counts
            if hash_value != text_sha256:
                return False, False, _changed(digest)
            if not digest.fault:
                return True, any(it.is_signed and not it.fault for it, hashed in by if hashed == text_sha256), None
        return False, False, None

    def _is_covered(self, file: Delivery) -> bool:
        """Whether every trail's digests cover the time of its delivery, an hour before it and an hour after it."""
        start, end = self._delivered(file.log_file)
        covered = self._covered.get(_log_folder(file), [])
        return bool(covered) and all(
            any(window[0] <= start - _HOUR and end + _HOUR <= window[1] for window in windows) for windows in covered
        )

    def _delivered(self, key: str) -> tuple[datetime, datetime]:
        """When the file was delivered as its name says, or the whole day where that can't be."""
        found = _LOG_TIME.search(_base(key))
        try:
            named = datetime.strptime(found[1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC) if found else None
        except ValueError:
            named = None
        if named is not None and named.date() == self._run_date:
            return named, named
        day = datetime.combine(self._run_date, time(), UTC)
        return day, day + timedelta(days=1)


def _windows(chain: list[_Digest]) -> list[tuple[datetime, datetime]]:
    """The times that a chain covers without a hole."""
    windows: list[tuple[datetime, datetime]] = []
    for digest in chain:
        if digest.start is None or digest.end is None:
            continue
        if windows and windows[-1][1] == digest.start:
            windows[-1] = windows[-1][0], digest.end
        else:
            windows.append((digest.start, digest.end))
    return windows


def _summary(files: list[Checked], logs: int, matching: int, signed: int | None) -> str:
    faults = sum(file.fault is not None for file in files)
    proven = sum(file.is_proven for file in files if file.kind == "log")
    unchecked = logs - sum(file.kind == "log" and not file.is_gone for file in files)
    broken = f"integrity broken: {faults} fault{'s' if faults > 1 else ''}, "
    if signed is None:
        line = f"hashes match in {matching} of {logs} log files, signatures not proven: no public keys given"
        line = broken + line if faults else line
    else:
        counts = f"{proven} of {logs} log files by {signed} signed digests"
        if faults:
            line = f"{broken}{counts}"
        elif proven == logs and signed:
            line = f"integrity proven: {counts}"
        else:
            line = f"integrity not yet proven: {counts}"
    return f"{line}; {unchecked} in accounts and regions without digest files" if unchecked else line


# -------------------------------------------------------------------------------------------------------- small helpers
def _text_sha256(name: str, data: bytes) -> str | None:
    try:
        return hashlib.sha256(uncompressed(data) if name.endswith(".gz") else data).hexdigest()
    except UnreadableLogFile:
        return None


def _count(name: str, data: bytes) -> tuple[int | None, str | None]:
    """How many records there are or, where none can be read, why."""
    try:
        return len(read_records(name, data)), None
    except UnreadableLogFile as error:
        return None, str(error)


def _log_folder(file: Delivery) -> str:
    below = f"/CloudTrail/{file.region}"
    return file.log_file.partition(f"{below}/")[0] + below


def _base(key: str) -> str:
    return key.rpartition("/")[2]


def _shown(text: str) -> str:
    """Text from a digest as it may stand in a message: one short line."""
    short = text if len(text) <= 200 else f"{text[:200]}…"
    return short if short.isprintable() else ascii(short)


def _utc(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _Fault(f"has a time that is none: {_shown(text)}") from error


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


def _public_key(fingerprint: str, der: bytes, valid_from: datetime, valid_until: datetime) -> PublicKey:
    _rsa(der)
    if not isinstance(fingerprint, str):
        raise TypeError("the fingerprint is no text")
    return PublicKey(fingerprint, der, valid_from, valid_until)


def _rsa(der: bytes) -> RSAPublicKey:
    key = load_der_public_key(der)
    if not isinstance(key, RSAPublicKey):
        raise ValueError("a key is not an RSA key")
    return key
