"""Checks a day's log files against the digest files in which CloudTrail names them, hashes them and signs for them.

The rules are those of the AWS CloudTrail User Guide: "CloudTrail digest file structure" and "Custom implementations of
CloudTrail log file integrity validation". A digest covers the log files of about an hour; it names the digest before
it, so that a trail's digests are a chain in which none can be left out.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from ..common.aws import is_s3, s3_place
from .deliveries import Delivery, Trail, trails
from .digest_files import (
    HOUR,
    Checked,
    Content,
    Digest,
    DigestError,
    Place,
    Places,
    base_name,
    gone_file,
    one_line,
    place_of,
    read_digests,
)
from .expected import ExpectedTrail, ToProve
from .keys import KEYS_APART, KeysOf, PublicKey, SomeKeysMissing
from .kinds import FOLDERS, NAMED_IN_DIGESTS, REVIEWED, kind_of
from .reader import Contents, read_log_files
from .store import LogStore, LogStoreError

NO_DIGESTS = "integrity not proven: no digest files"
# Why no digest proves anything
NO_ORIGIN = "their place not proven: say by --logs-copied-from s3://bucket/prefix to where CloudTrail delivered them"
NO_KEYS = "signatures not proven: no public keys"
_WHY = "not delivered yet, or removed, or logging or validation was off"
_LOG_TIME = re.compile(r"_(\d{8}T\d{4}Z)_", re.ASCII)


@dataclass(frozen=True)
class TrailDigests:
    """A trail's digests of the day in the folder of one account and region, hourly ones and backfilled ones.

    `folder` is the account's, from AWSLogs/ on. `signed` of the `digests` have a signature that holds, and `proving`
    ones are proof; `expected_since` is empty where the trail is not expected. `is_trusted`: it was there, at least one
    of them without a fault, signed if there were public keys.
    """

    trail: str
    folder: str
    account_id: str
    region: str
    expected_since: date | None
    digests: int
    signed: int
    proving: int
    is_trusted: bool

    @property
    def name(self) -> str:
        """How messages and settings name it."""
        return f"{self.trail} {self.folder} {self.region}"


@dataclass(frozen=True)
class Integrity:
    """The result for a day: its files, sorted by name, and one line for the evidence.

    `files` holds the day's log files in accounts and regions that have digests, the day's digests, whatever is gone,
    those digests of the days around it that are needed for this one and have a fault, and the day's folder of digests
    where they do not cover the day, or are missing. `trails` are the trails that have digests on the day, `keys` the
    public keys that signed what proves something, each with the number of these digests.
    """

    files: list[Checked]
    summary: str
    trails: list[TrailDigests] = field(default_factory=list)
    keys: list[tuple[PublicKey, int]] = field(default_factory=list)


class DigestCheck:
    """The digests of a day, read and verified; then it tells of each log file what they say of it.

    What is in the digest files is verified when this is made: hashes, the digests' chain and, with keys, signatures.
    Whatever is in them, it becomes a fault of theirs. Raises LogStoreError where the store can't be listed.
    """

    def __init__(
        self,
        store: LogStore,
        run_date: date,
        delivered: list[Delivery],
        keys_of: KeysOf,
        known: list[Trail] | None = None,
        to_prove: ToProve | None = None,
    ) -> None:
        """`delivered` is deliveries(store, run_date), and `known` trails(store), if it was listed already.

        `keys_of` gives CloudTrail's public keys of the digests' regions, those of the day and of the times at which
        digests were backfilled; it is not asked where there are no digests.
        Without keys (None, or LogStoreError) nothing is proven, but what does not fit is found all the same; where only
        some regions' are missing (SomeKeysMissing), their digests are at fault. `to_prove` says which trails' digests
        are expected on the day, and where the logs were delivered.
        """
        to_prove = to_prove or ToProve()
        self._expected = sorted(to_prove.trails)
        self._origin = to_prove.origin or (s3_place(store.root) if is_s3(store.root) else None)
        self._places = Places(store, run_date, delivered, trails(store) if known is None else known)
        self._checked: list[Checked] = []
        self._matching = 0
        self._no_keys = ""
        self._digests: dict[str, Digest] = {}
        self._gone: list[Checked] = []
        self._open: set[tuple[str, str]] = set()
        self._begins: dict[tuple[str, str], datetime] = {}  # the first of the day that expected digests have to cover
        keys: Sequence[PublicKey] | None = None
        if self._are_any:
            self._digests, self._gone = read_digests(store, self._places, self._origin)
            try:
                keys = keys_of(self._keys_wanted())
            except SomeKeysMissing as error:
                keys, self._no_keys = error.keys, f" ({error})"
            except LogStoreError as error:
                self._no_keys = f" ({error})"
            _check_chains(self._digests.values(), self._places)
            if keys is not None:
                _check_signatures(self._digests.values(), keys)
            _check_overlaps(self._digests.values())
        self._with_keys = keys is not None
        # Why no digest can prove anything, if so
        self._unable = "" if self._origin else NO_ORIGIN
        if keys is None:
            self._unable = NO_KEYS + self._no_keys
        for digest in self._digests.values():
            digest.may_prove = not self._unable and any(digest.place.is_of(trail) for trail in self._expected)
        expected = () if self._unable else self._expected
        self._names = _Names(run_date, list(self._digests.values()), self._with_keys, expected)
        self._logs = [file for file in delivered if file.kind in NAMED_IN_DIGESTS or file.log_file in self._names.named]

    def _keys_wanted(self) -> dict[str, list[datetime]]:
        found: dict[str, set[datetime]] = {place.region: set() for place in self._places.wanted.values()}
        for digest in self._digests.values():
            if digest.generated:
                found.setdefault(digest.place.region, set()).add(digest.generated)
        return {region: sorted(times) for region, times in sorted(found.items())}

    @property
    def _are_any(self) -> bool:
        return bool(self._places.trails or self._places.wanted or self._places.misnamed)

    def covers(self, file: Delivery) -> bool:
        """Whether digests tell something of the file, so that it has to be read: of what they always name, as soon as
        they lie beside its folder.
        """
        is_named = file.log_file in self._names.named
        return is_named or (file.kind in NAMED_IN_DIGESTS and _source(file) in self._names.sources)

    def take(self, file: Delivery, contents: Contents) -> Checked:
        """What the digests say of a log file that they cover."""
        is_matching = is_proven = False
        if contents.sha256 is None:
            fault = contents.problem
        else:
            is_matching, is_proven, fault = self._names.verdict(file, contents.text_sha256)
        records = None if contents.records is None else len(contents.records)
        problem = contents.problem if contents.sha256 and file.kind in REVIEWED else None
        where = (file.log_file, file.account_id, file.region, file.kind)
        checked = Checked(*where, contents.sha256, records, is_proven, False, fault, problem)
        self._matching += is_matching
        self._checked.append(checked)
        return checked

    def integrity(self) -> Integrity:
        """The result for the day, after every log file that they cover was taken."""
        if not self._are_any and not self._expected:
            return Integrity([], NO_DIGESTS)
        there = {file.log_file for file in self._logs}
        gone = [
            gone_file(key, kind_of(key.split("/")[-6]), by[0][0])
            for key, by in self._names.named.items()
            if key not in there
        ]
        # Digests of the neighbouring days are reported with those days, unless this day's proof rests on a faulty one.
        covered = self._covered_seconds()
        shown = [
            replace(digest.checked(), covered_seconds=covered.get(key))
            for key, digest in self._digests.items()
            if key in self._places.of_day or (digest.fault and digest.begin < self._places.day_end)
        ]
        found = self._checked + gone + shown + self._gone + self._places.misnamed
        uncovered = self._check_coverage(found)
        found = self._with_unproven(found)
        signed = [
            digest
            for key, digest in self._digests.items()
            if key in self._places.wanted and digest.proves and digest.begin < self._places.day_end
        ]
        counted = None if self._unable else len(signed)
        summary = _summary(found, len(self._logs), self._matching, counted, len(uncovered), self._unable)
        if not self._are_any:
            summary = f"{NO_DIGESTS}, though digest_trails.csv expects them"
        elif self._with_keys:
            summary += self._no_keys
        keys = Counter(digest.key for digest in signed if digest.key)
        if any(not key.region for key in keys):
            summary += "; by public keys from a file, not from ListPublicKeys"
        moved = [digest for key, digest in self._digests.items() if key in self._places.wanted and digest.elsewhere]
        summary += "".join(
            f"; the chain goes on from elsewhere: {base_name(digest.place.key)} names {digest.elsewhere} before it"
            for digest in moved[:1]
        )
        return Integrity(
            sorted(found + uncovered, key=lambda file: file.log_file),
            summary + self._unexpected(),
            self._trails(),
            sorted(keys.items(), key=lambda it: (it[0].fingerprint, it[0].sha256)),
        )

    def _covered_seconds(self) -> dict[str, int]:
        """How much of the day proving digests cover in each account and region: that which none before it covers is
        counted with each digest of the day, and what one of the next day adds, with the last of the day.
        """
        until: dict[tuple[str, str], datetime] = {}
        last: dict[tuple[str, str], str] = {}
        seconds: dict[str, int] = defaultdict(int)
        for key, digest in sorted(self._digests.items(), key=lambda it: (it[1].begin, it[0])):
            if not digest.proves or digest.end is None:
                continue
            pair = digest.place.account_id, digest.place.region
            begin = max(digest.begin, self._places.day_start, until.get(pair, digest.begin))
            end = min(digest.end, self._places.day_end)
            if key in self._places.of_day:
                last[pair] = key
            if pair in last and begin < end:
                seconds[last[pair]] += int((end - begin).total_seconds())
                until[pair] = end
        return seconds

    def _with_unproven(self, found: list[Checked]) -> list[Checked]:
        """The results, with a fault for each log file that expected digests should prove and don't, unless digests that
        are missing or faulty are named already as what leaves it unproven.
        """
        expecting = {(trail.account_id, trail.region) for trail in self._expected} - self._open
        if self._unable:
            return found
        faulty = [place for file in found if file.kind == "digest" and file.fault and (place := place_of(file))]

        def is_due(file: Checked | Delivery) -> bool:
            start, end = self._names.delivered(file.log_file)
            begin = self._begins.get((file.account_id, file.region), end)
            return (
                (file.account_id, file.region) in expecting
                and begin <= end
                and not any(
                    (place.account_id, place.region) == (file.account_id, file.region)
                    and place.end - 3 * HOUR <= end
                    and start <= place.end + HOUR
                    for place in faulty
                )
            )

        fault = "is named by no signed digest of a trail that digest_trails.csv names"
        checked = {file.log_file for file in found}
        return [
            replace(file, fault=fault)
            if file.kind in NAMED_IN_DIGESTS and not (file.is_proven or file.fault) and is_due(file)
            else file
            for file in found
        ] + [
            Checked(file.log_file, file.account_id, file.region, file.kind, None, None, False, False, fault)
            for file in self._logs
            if file.log_file not in checked and is_due(file)
        ]

    def _unexpected(self) -> str:
        """How many trails have digests that count for nothing, for the summary."""
        unexpected = {trail.trail for trail in self._trails() if not trail.expected_since}
        counted = f"{len(unexpected)} trails" if len(unexpected) > 1 else "a trail"
        return f"; digests of {counted} that digest_trails.csv does not name prove nothing" if unexpected else ""

    def _trails(self) -> list[TrailDigests]:
        """Each trail with digests in the day's folders."""
        by_trail: dict[tuple[str, ...], list[Digest]] = defaultdict(list)
        for key in self._places.of_day:
            by_trail[self._places.of_day[key].trail].append(self._digests[key])
        return [
            TrailDigests(
                of_trail[0].place.trail_name,
                of_trail[0].place.account,
                of_trail[0].place.account_id,
                of_trail[0].place.region,
                next((it.since for it in self._expected if of_trail[0].place.is_of(it)), None),
                len(of_trail),
                sum(digest.is_signed for digest in of_trail),
                sum(digest.proves for digest in of_trail),
                any(_vouches(digest, self._with_keys) for digest in of_trail),
            )
            for _, of_trail in sorted(by_trail.items())
        ]

    def _check_coverage(self, found: list[Checked]) -> list[Checked]:
        """For each account and region a fault where digests leave out some of the day and nothing else says why.

        A trail whose digests were removed together with the log files that they name leaves no other trace. Its digests
        must cover the day to the end: those of an expected trail from the beginning on, unless they are expected since
        this very day and declare that they begin later, as those of other trails may do on any day.
        """
        places, holes = self._places, _Holes(self._places)
        self._open = holes.of_expected
        explained = [place for file in found if file.kind == "digest" and file.fault and (place := place_of(file))]
        for expected in self._expected:
            chains = [hourly for hourly in places.trails.values() if hourly[0].is_of(expected)]
            if not chains:
                text = f"digest_trails.csv expects them since {expected.since}: {_WHY}"
                holes.add(expected, None, f"has no digest of trail {expected.name}, though {text}")
            for hourly in chains:
                if self._unable:
                    holes.add(
                        expected, hourly[0], f"has digests of trail {expected.name} that prove nothing: {self._unable}"
                    )
                may_begin = expected.since >= places.day_start.date()
                self._find_hole(hourly, may_begin, explained, holes, expected)
        for hourly in places.trails.values():
            if not any(hourly[0].is_of(expected) for expected in self._expected):
                self._find_hole(hourly, True, explained, holes, None)
        return holes.found()

    def _find_hole(
        self,
        hourly: list[Place],
        may_begin: bool,
        explained: list[Place],
        holes: _Holes,
        expected: ExpectedTrail | None,
    ) -> None:
        """Adds the time of the day that a trail's digests do not cover, and that no fault of theirs explains."""
        places, first = self._places, hourly[0]
        usable = [
            digest
            for digest in self._digests.values()
            if digest.place.trail == first.trail and _vouches(digest, self._with_keys)
        ]
        unsigned = {
            digest.place.end
            for digest in self._digests.values()
            if digest.place.trail == first.trail and not digest.fault and not digest.is_signed
        }
        begins = [digest.begin for digest in usable if may_begin and digest.place == first and digest.is_first]
        begins += [digest.begin for digest in usable if not expected and digest.elsewhere]
        windows = [(digest.begin, digest.end or digest.begin) for digest in usable]
        # The hour of a digest that is named as faulty is accounted for by that, and the one before it: in a folder
        # nothing else signs for it.
        windows += [
            (place.end - before, place.end)
            for place in explained
            if place.trail == first.trail
            for before in (HOUR, 2 * HOUR)
            if before == HOUR or place.end - HOUR in unsigned
        ]
        begin = max([places.day_start, *begins])
        hole = _hole(windows, begin, places.day_end)
        if expected:
            pair = expected.account_id, expected.region
            self._begins[pair] = min(begin, self._begins.get(pair, begin))
        if hole:
            until = "24:00" if hole[1] == places.day_end else f"{hole[1]:%H:%M}"
            digest = f"{'signed ' if self._with_keys else ''}digest of trail {first.trail_name}"
            moved = [it.elsewhere for it in usable if it.elsewhere and it.begin == hole[1]]
            why = f"the one before lies elsewhere, {moved[0]}: review that place for this day, too" if moved else _WHY
            holes.add(expected or first, first, f"has no {digest} for {hole[0]:%H:%M} to {until}: {why}")


class _Holes:
    """What is missing of digests: one fault for the day's folder of each account and region."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._texts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        self.of_expected: set[tuple[str, str]] = set()  # accounts and regions where an expected trail's are missing

    def add(self, what: ExpectedTrail | Place, place: Place | None, text: str) -> None:
        """`place` is one of the trail's digests, if there is one."""
        folder = place.digest_folder if place else f"AWSLogs/{what.account_id}/CloudTrail-Digest/{what.region}"
        texts = self._texts[f"{folder}/{self._places.day_start:%Y/%m/%d}", what.account_id, what.region]
        if isinstance(what, ExpectedTrail):
            self.of_expected.add((what.account_id, what.region))
        # whoever writes into the bucket can invent any number of trails: of those that nobody expects one is enough
        if text not in texts and (isinstance(what, ExpectedTrail) or not texts):
            texts.append(text)

    def found(self) -> list[Checked]:
        return [
            Checked(folder, account_id, region, "digest", None, None, False, True, "; and ".join(texts))
            for (folder, account_id, region), texts in self._texts.items()
        ]


def check_digests(
    store: LogStore,
    run_date: date,
    delivered: list[Delivery],
    keys_of: KeysOf,
    known: list[Trail] | None = None,
    to_prove: ToProve | None = None,
) -> Integrity:
    """Checks the log files and digests of `run_date` (UTC), reading only those log files of which digests tell.

    One file after the other: no more than a few are in memory. The arguments are those of DigestCheck.
    """
    check = DigestCheck(store, run_date, delivered, keys_of, known, to_prove)
    covered = [file for file in delivered if check.covers(file)]
    read = read_log_files(store, covered, is_named=lambda _: True, is_wanted=lambda file: file.kind in REVIEWED)
    for file, contents in read:
        check.take(file, contents)
    return check.integrity()


def _check_chains(digests: Collection[Digest], places: Places) -> None:
    for digest in digests:
        for following in digest.next:
            stated = following.content.previous_digest_hash_value if following.content else None
            if stated not in (None, digest.text_sha256):
                digest.blame(_changed(following))
            else:
                _check_link(digest, following)
        if digest.elsewhere and not digest.place.is_backfill:
            twins = (it for it in digests if it.place.chain == digest.place.chain and it.end == digest.start)
            if twin := next((it for it in twins if not it.fault), None):
                before = f"{digest.elsewhere}, though {base_name(twin.place.key)} is of the same time"
                digest.blame(f"names a file elsewhere: {before}")
        # Backfill digests come when there is something to fill in: they have no hour that follows the one before.
        if digest.is_first and not digest.place.is_backfill:
            first = places.first(digest.place)
            if first.end < digest.place.end:
                digest.blame(
                    f"claims to be the first of its chain, though {base_name(first.key)} is older: "
                    "digests were removed, or logging or validation was off"
                )


def _changed(named_by: Digest) -> str:
    return f"was changed after delivery: its SHA-256 is not the one in digest {base_name(named_by.place.key)}"


def _check_link(digest: Digest, following: Digest) -> None:
    if digest.end and following.start and digest.end != following.start and not following.place.is_backfill:
        following.blame(
            f"does not follow the digest before it: it begins at {following.start:%Y-%m-%dT%H:%M:%SZ}, "
            f"and that one ends at {digest.end:%Y-%m-%dT%H:%M:%SZ}"
        )


def _check_overlaps(digests: Iterable[Digest]) -> None:
    """Blames a digest beside the chain: no later one names it, and its time is covered by another digest, too."""
    for chain in _chains(digests).values():
        for one, other in pairwise(chain):
            if one.end and other.begin < one.end:
                for digest, twin in ((one, other), (other, one)):
                    if not digest.next:
                        digest.blame(
                            f"covers the same time as digest {base_name(twin.place.key)}, and no later digest names it"
                        )


def _vouches(digest: Digest, with_keys: bool) -> bool:
    """Whether what a digest says counts. Where there are keys it has to be signed: anybody can write one."""
    return not digest.fault and (digest.is_signed or not with_keys)


def _hole(windows: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> tuple[datetime, datetime] | None:
    """The first gap from `start` to `end` that no window covers; None where there is none."""
    for begin, until in sorted(windows):
        if start < end and begin > start:
            return start, min(begin, end)
        start = max(start, until)
    return (start, end) if start < end else None


def _chains(digests: Iterable[Digest]) -> dict[tuple[str, ...], list[Digest]]:
    """Each trail's faultless hourly digests by the time they begin; also where none of a trail's is faultless."""
    chains: dict[tuple[str, ...], list[Digest]] = {}
    for digest in sorted(digests, key=lambda digest: (digest.begin, digest.place.key)):
        if not digest.place.is_backfill:
            chain = chains.setdefault(digest.place.chain, [])
            chain += [] if digest.fault else [digest]
    return chains


def _check_signatures(digests: Iterable[Digest], keys: Sequence[PublicKey]) -> None:
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
            signed = _signed_text(digest.content, digest.text_sha256)
            if len(signatures) > 1:
                raise DigestError("has a signature that is not the one which the digest after it gives for it")
            for signature in signatures:
                digest.key = next((key for key in usable if key.holds(signature, signed)), None)
                if digest.key is None:
                    raise DigestError("has a signature that does not hold: it is not as CloudTrail signed it")
        except DigestError as fault:
            digest.blame(str(fault))


def _usable_keys(digest: Digest, content: Content, end: datetime, known: dict[str, list[PublicKey]]) -> list[PublicKey]:
    keys = known.get(content.digest_public_key_fingerprint)
    fingerprint = one_line(content.digest_public_key_fingerprint)
    if not keys:
        raise DigestError(
            f"is signed with key {fingerprint}, which is not among the public keys; "
            "list-public-keys gives those of earlier days with --start-time and --end-time alone"
        )
    # A digest is signed when it is written: some time after its end or, a backfill digest, long after it.
    is_late = digest.place.is_backfill and digest.generated is None
    signed = digest.generated or end
    usable = [
        key
        for key in keys
        if signed - KEYS_APART <= key.valid_until and (is_late or key.valid_from <= signed + KEYS_APART)
    ]
    if not usable:
        when = "when it was made" if digest.generated else "at its end"
        raise DigestError(f"is signed with key {fingerprint}, which was not valid {when}, {signed:%Y-%m-%dT%H:%M:%SZ}")
    return usable


def _signed_text(content: Content, text_sha256: str) -> str:
    return "\n".join(
        [
            content.digest_end_time,
            f"{content.digest_s3_bucket}/{content.digest_s3_object}",
            text_sha256,
            "null" if content.previous_digest_signature is None else content.previous_digest_signature,
        ]
    )


class _Names:
    """Which log files of the day the digests name, and what follows for those that are there."""

    def __init__(
        self, run_date: date, digests: list[Digest], with_keys: bool, expected: Sequence[ExpectedTrail]
    ) -> None:
        """`expected` are the trails whose digests are proof; where there are any, no other trail's count."""
        self._run_date = run_date
        self._with_keys = with_keys
        self._expecting = {(trail.account_id, trail.region) for trail in expected}
        self.sources = {digest.place.source for digest in digests}
        self.named: dict[str, list[tuple[Digest, str]]] = defaultdict(list)
        for digest in digests:
            account, region = digest.place.source
            for key, hash_value in digest.named:
                below = key.removeprefix(f"{account}/").partition("/")[2]  # of the folder of any kind
                if below.startswith(f"{region}/{run_date:%Y/%m/%d}/"):
                    self.named[key].append((digest, hash_value))
        self._covered: dict[tuple[str, str], list[list[tuple[datetime, datetime]]]] = defaultdict(list)
        proving = {digest.place.chain for digest in digests if digest.may_prove}
        for name, chain in _chains(digests).items():
            account, region, *_ = name
            if name not in proving and (account.rpartition("/")[2], region) in self._expecting:
                continue  # a trail that nobody expects could be one that somebody made to cover nothing
            vouching = [digest for digest in chain if _vouches(digest, with_keys)]
            self._covered[account, region].append(_windows(vouching))

    def verdict(self, file: Delivery, text_sha256: str | None) -> tuple[bool, bool, str | None]:
        """Whether a faultless digest names the file with its hash, whether it is proven, and its fault."""
        by = self.named.get(file.log_file, [])
        faultless = [it for it in by if not it[0].fault]
        for digest, hash_value in faultless or by:
            if hash_value != text_sha256:
                return False, False, _changed(digest)
        if any(digest.proves for digest, _ in faultless):
            return True, True, None
        is_vouched_for = any(_vouches(digest, self._with_keys) for digest, _ in faultless)
        is_expecting = (file.account_id, file.region) in self._expecting
        if is_vouched_for and not is_expecting:
            return True, False, None
        if (faultless or not by) and self._is_covered(file):
            of_trail = " of a trail that digest_trails.csv names" if is_vouched_for else ""
            return False, False, f"is named by no {'signed ' if faultless else ''}digest{of_trail}"
        return bool(faultless), False, None

    def _is_covered(self, file: Delivery) -> bool:
        """Whether every trail's digests cover the time of its delivery, an hour before it and an hour after it."""
        start, end = self.delivered(file.log_file)
        covered = self._covered.get(_source(file), [])
        return bool(covered) and all(
            any(window[0] <= start - HOUR and end + HOUR <= window[1] for window in windows) for windows in covered
        )

    def delivered(self, key: str) -> tuple[datetime, datetime]:
        """When the file was delivered as its name says, or the whole day where that can't be."""
        found = _LOG_TIME.search(base_name(key))
        try:
            named = datetime.strptime(found[1], "%Y%m%dT%H%MZ").replace(tzinfo=UTC) if found else None
        except ValueError:
            named = None
        if named is not None and named.date() == self._run_date:
            return named, named
        day = datetime.combine(self._run_date, time(), UTC)
        return day, day + timedelta(days=1)


def _windows(chain: list[Digest]) -> list[tuple[datetime, datetime]]:
    """The periods that a chain covers without a gap."""
    windows: list[tuple[datetime, datetime]] = []
    for digest in chain:
        if digest.start is None or digest.end is None:
            continue
        if windows and windows[-1][1] == digest.start:
            windows[-1] = windows[-1][0], digest.end
        else:
            windows.append((digest.start, digest.end))
    return windows


def _summary(files: list[Checked], logs: int, matching: int, signed: int | None, uncovered: int, unable: str) -> str:
    """`signed` is None where nothing can be proven, and `unable` then says why."""
    faults = sum(file.fault is not None for file in files)
    proven = sum(file.is_proven for file in files if file.kind != "digest")
    unchecked = logs - sum(file.kind != "digest" and not file.is_gone for file in files)
    broken = f"integrity broken: {faults} fault{'s' if faults > 1 else ''}, "
    if signed is None:
        line = f"hashes match in {matching} of {logs} log files, {unable}"
        line = broken + line if faults else line
    else:
        counts = f"{proven} of {logs} log files by {signed} signed digests"
        if faults:
            line = f"{broken}{counts}"
        elif not logs:
            line = f"integrity: no log files to prove, by {signed} signed digests"
        elif proven == logs and signed and not uncovered:
            line = f"integrity proven: {counts}"
        else:
            line = f"integrity not yet proven: {counts}"
    if uncovered:
        where = "1 account and region" if uncovered == 1 else f"{uncovered} accounts and regions"
        line += f"; digests do not cover the day in {where}"
    return f"{line}; {unchecked} in accounts and regions without digest files" if unchecked else line


def _source(file: Delivery) -> tuple[str, str]:
    return file.log_file.partition(f"/{FOLDERS[file.kind]}/{file.region}/")[0], file.region
