"""CloudTrail's digest files: where they lie, and what is in them.

Their layout is that of the AWS CloudTrail User Guide, "CloudTrail digest file structure".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec

from ..common.aws import S3Place
from .deliveries import Delivery, Trail
from .expected import ExpectedTrail
from .keys import PublicKey
from .reader import UnreadableLogFile, uncompressed
from .store import PARALLEL_READS, LogStore, LogStoreError, read_ahead

MAX_DIGEST_BYTES = 1 << 25  # uncompressed; one that names ten thousand log files has some 3 MB

# A digest's window is about an hour. It is also the tolerance between times that should be close: the end of a window
# and the time in the digest's name, the time in a log file's name and the window in which it was delivered.
HOUR = timedelta(hours=1)
# How far into the next day the digest of the day's last log files, and the one that signs for it, may end.
_SPILL = timedelta(hours=3)
_DIGEST_KEY = re.compile(
    r"(?P<account>AWSLogs/(?:o-[a-z0-9]{10,32}/)?(?P<id>[\w-]+))/CloudTrail-Digest/(?P<region>[a-z0-9-]+)/(?P<day>\d{4}/\d\d/\d\d)/"
    r"(?P=id)_CloudTrail-Digest_(?P=region)_(?P<trail>[\w.-]+_[a-z0-9-]+)_(?P<end>\d{8}T\d{6}Z)(?P<backfill>_backfill)?"
    r"\.json\.gz",
    re.ASCII,
)


@dataclass(frozen=True)
class Checked:
    """What digests say of one delivered (or vanished) file.

    `log_file` is the key from AWSLogs/ on, `kind` that of a Delivery. `sha256` is of the file as delivered, and None
    where it was not read; `records` is the number of a log file's records, and None where they can't be read.
    `is_proven`: a faultless digest of an expected trail, whose signature holds, names the file with its hash (a digest:
    it is such a one itself). `is_gone`: a digest names it, and it is not there. `fault` and `problem` (why the records
    can't be read) continue the file's name: 'was changed …'. `covered_seconds` are those of the day that proof
    covers and that are counted with this digest.
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
    covered_seconds: int | None = None


# A log file that a digest names, below the account's folder; digests name those of network activity and others, too.
_NAMED_KEY = re.compile(
    r"(?P<kind>CloudTrail(?:-[A-Za-z]+)?)/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/"
    r"(?P<id>[\w-]+)_(?P=kind)_(?P=region)_\d{8}T\d{4}Z_[^/]+",
    re.ASCII,
)


@dataclass(frozen=True)
class Place:
    """A digest file that is there or should be, as its key tells.

    `account` is the account's folder, `trail` tells the trail's digests there from others, `end` is the time in its
    name, and `size` is in bytes.
    """

    key: str
    size: int
    account: str
    account_id: str
    region: str
    end: datetime
    trail: tuple[str, ...]
    is_backfill: bool

    @property
    def chain(self) -> tuple[str, ...]:
        """The chain that it belongs to: a trail has one of hourly digests, and one of backfill digests."""
        return *self.trail, str(self.is_backfill)

    @property
    def source(self) -> tuple[str, str]:
        """The account's folder and the region of the files that it names, whatever their kind."""
        return self.account, self.region

    @property
    def trail_name(self) -> str:
        """The trail and its home region, as in `management-events_us-east-1`."""
        return self.trail[-1]

    def is_of(self, expected: ExpectedTrail) -> bool:
        """Whether it is one of the digests that are expected of a trail."""
        found = (self.account_id, self.region, self.trail_name)
        return found == (expected.account_id, expected.region, expected.name)

    @property
    def digest_folder(self) -> str:
        return f"{self.account}/CloudTrail-Digest/{self.region}"


def _place(key: str, size: int = 0) -> Place | None:
    """The digest at `key`; None where the key is not one that CloudTrail gives its digests."""
    found = _DIGEST_KEY.fullmatch(key)
    if found is None:
        return None
    try:
        end = datetime.strptime(found["end"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None
    if found["day"] != f"{end:%Y/%m/%d}":
        return None
    account, region, is_backfill = found["account"], found["region"], found["backfill"] is not None
    return Place(key, size, account, found["id"], region, end, (account, region, found["trail"]), is_backfill)


def place_of(file: Checked) -> Place | None:
    """The digest that a result is about; None where its name is not that of a digest."""
    return _place(file.log_file)


class Places:
    """The digest files that lie in the folders of the day, of the day before and of the day after.

    `wanted` are those of the day, of the next day those that may name log files of this one and, where a trail's begin
    on that day, the first of them and the one that signs for it. `trails` holds each trail's hourly ones, oldest first.
    """

    def __init__(self, store: LogStore, run_date: date, delivered: list[Delivery], known: list[Trail]) -> None:
        self._store = store
        self.day_start = datetime.combine(run_date, time(), UTC)
        self.day_end = self.day_start + timedelta(days=1)
        self.of_day: dict[str, Place] = {}
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
        folders = [f"{trail.folder}/{day:%Y/%m/%d}" for trail in known if trail.kind == "digest" for day in around]
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            listed = [_place(file.key, file.size) for files in pool.map(store.files, folders) for file in files]
        self._there = self.of_day | {place.key: place for place in listed if place}
        last = self.day_end + _SPILL
        self.wanted = self.of_day | {
            key: place for key, place in self._there.items() if self.day_end <= place.end < last
        }
        self.trails: dict[tuple[str, ...], list[Place]] = defaultdict(list)
        for place in sorted(self._there.values(), key=lambda place: place.end):
            if not place.is_backfill:
                self.trails[place.trail].append(place)
        late = [places[:2] for places in self.trails.values() if places[0].end >= self.day_end]
        self.wanted |= {place.key: place for places in late for place in places}

    def find(self, named: Place) -> Place | None:
        """The digest as it is stored, whatever its day; None where it is not there."""
        if named.key in self._there:
            return self._there[named.key]
        listed = {file.key: file.size for file in self._store.files(named.key.rpartition("/")[0])}
        return _place(named.key, listed[named.key]) if named.key in listed else None

    def first(self, place: Place) -> Place:
        """The oldest hourly digest of the trail in these days."""
        return self.trails[place.trail][0] if place.trail in self.trails else place


class _NamedFile(msgspec.Struct, rename="camel"):
    s3_bucket: str
    s3_object: str
    hash_value: str
    hash_algorithm: str


class Content(msgspec.Struct, rename="camel"):
    """The fields of a digest file, as CloudTrail writes them."""

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


_decode = msgspec.json.Decoder(Content).decode


class DigestError(Exception):
    """A digest is not what it should be; the text continues its name."""


@dataclass
class Digest:
    """A digest that was read, and what was found out about it. Where `content` is None, it could not be understood.

    `named` holds key and SHA-256 of the log files that it names, `next` the digests that name it as the one before
    them, `signature` (hexadecimal) comes from the file's metadata, and so does `generated`, the time at which a
    backfilled one was written; `text_sha256` is of the JSON. `elsewhere` is the digest before it where that lies in the
    place to which the trail delivered before. `key` is the one that signed it, where a signature holds. `may_prove`: it
    is of an expected trail, and its place could be compared.
    """

    place: Place
    sha256: str | None = None
    text_sha256: str | None = None
    content: Content | None = None
    start: datetime | None = None
    end: datetime | None = None
    previous: Place | None = None
    named: list[tuple[str, str]] = field(default_factory=list)
    signature: str | None = None
    generated: datetime | None = None
    elsewhere: str | None = None
    next: list[Digest] = field(default_factory=list)
    key: PublicKey | None = None
    may_prove: bool = False
    fault: str | None = None

    @property
    def is_signed(self) -> bool:
        return self.key is not None

    @property
    def proves(self) -> bool:
        """Whether what it says is proof: only the faultless, signed digests of an expected trail prove anything."""
        return self.may_prove and self.is_signed and not self.fault

    @property
    def begin(self) -> datetime:
        return self.start or self.place.end - HOUR

    @property
    def is_first(self) -> bool:
        """Whether it says that its chain begins with it."""
        return self.content is not None and self.content.previous_digest_s3_object is None

    def blame(self, fault: str) -> None:
        """Notes what is wrong with it; a fault that was found before stays."""
        self.fault = self.fault or fault

    def checked(self) -> Checked:
        place = self.place
        return Checked(
            place.key, place.account_id, place.region, "digest", self.sha256, None, self.proves, False, self.fault
        )


def read_digests(store: LogStore, places: Places, origin: S3Place | None) -> tuple[dict[str, Digest], list[Checked]]:
    """The digests of the day, with those that they name as the ones before them, and what of these is gone.

    `origin` is where CloudTrail delivered what lies in the store, if that is known: each digest has to name it.
    """

    def read(place: Place) -> tuple[bytes, dict[str, str]]:
        if place.size > MAX_DIGEST_BYTES:
            raise LogStoreError(f"is larger than {MAX_DIGEST_BYTES} bytes, so it was not read")
        return store.read_with_metadata(place.key)

    def read_all(wanted: Iterable[Place]) -> dict[str, Digest]:
        found = read_ahead(read, wanted, lambda place: place.size)
        return {place.key: _read_digest(place, content, origin) for place, content in found}

    digests = read_all(places.wanted.values())
    before: dict[str, Place] = {}
    gone: dict[str, Checked] = {}
    for digest in digests.values():
        named = digest.previous
        if named is None or named.key in digests:
            continue
        found = places.find(named)
        if found:
            before[found.key] = found
        elif named.end - HOUR < places.day_end:
            gone[named.key] = gone_file(named.key, "digest", digest)
    digests |= read_all(before.values())
    for digest in digests.values():
        if digest.previous and digest.previous.key in digests:
            digests[digest.previous.key].next.append(digest)
    return digests, list(gone.values())


def delivering_trails(store: LogStore, known: list[Trail]) -> list[ExpectedTrail]:
    """The trails that write digests: those on the last day of each folder of digests, since the first day there.

    `known` is trails(store). Raises LogStoreError where the store can't be listed.
    """

    def day(folder: str, end: int) -> str:
        for _ in ("year", "month", "day"):
            names = [name for name in store.folders(folder) if name.isdecimal()]
            folder = f"{folder}/{names[end]}" if names else folder
        return folder

    def delivering(trail: Trail) -> list[ExpectedTrail]:
        first, last = (day(trail.folder, end) for end in (0, -1))
        try:
            since = datetime.strptime(first[len(trail.folder) :], "/%Y/%m/%d").date()
        except ValueError:
            return []
        found = {place.trail_name for place in (_place(file.key) for file in store.files(last)) if place}
        return [
            ExpectedTrail(*name.rpartition("_")[::2], trail.account_id, trail.region, since) for name in sorted(found)
        ]

    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        found = pool.map(delivering, [trail for trail in known if trail.kind == "digest"])
        return sorted({trail for some in found for trail in some})


def gone_file(key: str, kind: str, named_by: Digest) -> Checked:
    """A file that a digest names and that is not there."""
    fault = f"is gone: digest {base_name(named_by.place.key)} names it"
    return Checked(key, named_by.place.account_id, named_by.place.region, kind, None, None, False, True, fault)


def _read_digest(place: Place, found: Future[tuple[bytes, dict[str, str]]], origin: S3Place | None) -> Digest:
    digest = Digest(place)
    try:
        data, metadata = found.result()
        digest.sha256 = hashlib.sha256(data).hexdigest()
        digest.signature = metadata.get("signature")
        if place.is_backfill and metadata:
            digest.generated = _generated(metadata.get("backfill-generation-timestamp"))
        text = uncompressed(data)
        if len(text) > MAX_DIGEST_BYTES:
            raise DigestError(f"holds more than {MAX_DIGEST_BYTES} bytes of JSON")
        digest.text_sha256 = hashlib.sha256(text).hexdigest()
        digest.content = _understood(bytes(text))
        _take_in(digest, digest.content, origin)
    except (DigestError, LogStoreError, UnreadableLogFile) as error:
        digest.blame(str(error))
    return digest


def _understood(text: bytes) -> Content:
    def refuse_two(pairs: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in pairs}) < len(pairs):
            raise DigestError("has a field twice; it is unclear which one is meant")

    try:
        content = _decode(text)
        json.loads(text.decode(), object_pairs_hook=refuse_two, parse_int=str)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise DigestError(f"is not a CloudTrail digest: {error}") from error
    return content


def _take_in(digest: Digest, content: Content, origin: S3Place | None) -> None:
    """Takes what the checks need from the content. Raises DigestError where it is about another digest or its files."""
    place = digest.place
    digest.start, digest.end = _utc(content.digest_start_time), _utc(content.digest_end_time)
    if not content.digest_s3_object.endswith(place.key) or content.digest_s3_object[: -len(place.key)][-1:] not in "/":
        raise DigestError(f"does not lie where it was delivered, which is {one_line(content.digest_s3_object)}")
    prefix = content.digest_s3_object[: -len(place.key)]
    delivered_to = S3Place(content.digest_s3_bucket, prefix)
    if origin and delivered_to != origin:
        raise DigestError(
            f"was delivered to {one_line(str(delivered_to))}, and these logs to {origin}; if they were copied from "
            "there, say so by --logs-copied-from"
        )

    def below(bucket: str, key: str) -> str:
        inside = key.removeprefix(prefix)
        parts = inside.split("/")
        is_safe = parts[0] == "AWSLogs" and key.isprintable() and not {"", ".", ".."} & set(parts)
        if bucket != content.digest_s3_bucket or not key.startswith(prefix) or not is_safe:
            raise DigestError(f"names a file elsewhere: s3://{one_line(bucket)}/{one_line(key)}")
        return inside

    for file in content.log_files:
        key = below(file.s3_bucket, file.s3_object)
        found = _NAMED_KEY.fullmatch(key.removeprefix(f"{place.account}/"))
        if not key.startswith(f"{place.account}/") or not found or found["region"] != place.region:
            raise DigestError(f"names a log file that is not of its account and region: {one_line(key)}")
        if found["id"] != place.account_id:
            raise DigestError(f"names a log file whose name is that of another account: {one_line(key)}")
        digest.named.append((key, file.hash_value))
    bucket, previous = content.previous_digest_s3_bucket, content.previous_digest_s3_object
    is_here = bucket == content.digest_s3_bucket and (previous or "").startswith(f"{prefix}AWSLogs/")
    if bucket is not None and previous is not None and not is_here:
        _, mark, inside = previous.rpartition("AWSLogs/")
        before = _place(mark + inside)
        if before is None or before.chain != place.chain or before.end > place.end:
            raise DigestError(f"names a file elsewhere: s3://{one_line(bucket)}/{one_line(previous)}")
        digest.elsewhere = one_line(f"s3://{bucket}/{previous}")
    elif bucket is not None and previous is not None:
        digest.previous = _place(below(bucket, previous))
        # which chain CloudTrail's backfill digests continue is not documented
        if digest.previous is None or (digest.previous.chain != place.chain and not place.is_backfill):
            digest.previous = None
            digest.blame(f"names as its predecessor what is not a digest of its trail: {one_line(previous)}")
    rest = (bucket, previous, content.previous_digest_hash_value, content.previous_digest_signature)
    if len({value is None for value in rest}) > 1:
        digest.blame("names the digest before it only in part")
    algorithms = {file.hash_algorithm for file in content.log_files}
    algorithms.add(content.previous_digest_hash_algorithm or "SHA-256")
    if algorithms != {"SHA-256"} or content.digest_signature_algorithm != "SHA256withRSA":
        digest.blame("names an algorithm that is not CloudTrail's")
    if content.aws_account_id != place.account_id:
        digest.blame(f"is of account {one_line(content.aws_account_id)}, not of its folder's")
    if digest.start >= digest.end:
        digest.blame(f"begins at {content.digest_start_time}, which is not before its end")
    if abs(digest.end - place.end) > HOUR:
        digest.blame(f"is backdated: it claims to end at {content.digest_end_time}, which is not the time in its name")


def base_name(key: str) -> str:
    """A key without its folders, as messages name a file."""
    return key.rpartition("/")[2]


def one_line(text: str) -> str:
    """Text from a digest made fit for a message: one short line."""
    short = text if len(text) <= 200 else f"{text[:200]}…"
    return short if short.isprintable() else ascii(short)


def _generated(text: str | None) -> datetime:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError as error:
        raise DigestError("does not say in its metadata, backfill-generation-timestamp, when it was made") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _utc(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise DigestError(f"has a time that can't be read: {one_line(text)}") from error
