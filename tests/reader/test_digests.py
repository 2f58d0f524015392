"""What was done to log files and digests after their delivery is found, and what is as CloudTrail left it is proven."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as ec_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from pci_log_review.cloudtrail.deliveries import deliveries
from pci_log_review.cloudtrail.digest_files import Checked
from pci_log_review.cloudtrail.digests import NO_DIGESTS, Integrity, _hole, check_digests
from pci_log_review.cloudtrail.expected import ExpectedTrail, ToProve
from pci_log_review.cloudtrail.keys import KeysWanted, PublicKey, SomeKeysMissing, keys_from_cloudtrail, keys_from_file
from pci_log_review.cloudtrail.store import FolderStore, LogStoreError, open_store
from pci_log_review.common.aws import S3Place
from pci_log_review.common.errors import UsageError

from .native_logs import ACCOUNT, DAY, REGION, event, log_text, put

SIGNING, OTHER = (rsa.generate_private_key(65537, 2048) for _ in range(2))
BUCKET, FINGERPRINT = "trail-bucket", "0123456789abcdef0123456789abcdef"
SINCE = date(2026, 1, 1)


def expected(trail: str = "trail_one", since: date = SINCE, account_id: str = ACCOUNT) -> ExpectedTrail:
    return ExpectedTrail(trail, "us-east-1", account_id, REGION, since)


def to_prove(*trails: ExpectedTrail, prefix: str = "") -> ToProve:
    return ToProve(trails, S3Place(BUCKET, prefix))


FIRST_END = datetime(2026, 3, 9, 22, 40, tzinfo=UTC)
# Digest 0 ends at 22:40 of the day before, 2 is the day's first one and 25 its last, 26 ends at 00:40 of the next day.
FIRST, MIDDLE, LAST, SPILLED, NEWEST = 2, 13, 25, 26, 28

Content = dict[str, Any]
Change = Callable[[int, Content], None]


def public_key(
    key: rsa.RSAPrivateKey = SIGNING, valid_from: datetime | None = None, valid_until: datetime | None = None
) -> PublicKey:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    start, end = valid_from or datetime(2026, 1, 1, tzinfo=UTC), valid_until or datetime(2026, 12, 31, tzinfo=UTC)
    return PublicKey(FINGERPRINT, der, start, end, REGION)


KEYS = [public_key()]
FOLDER = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{DAY:%Y/%m/%d}/{ACCOUNT}_CloudTrail_{REGION}"
DIGESTS = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{DAY:%Y/%m/%d}"


@dataclass
class Delivered:
    """What CloudTrail wrote: the keys of the digests in their order, of the day's log files, and the signatures."""

    root: Path
    digests: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    signatures: dict[str, str] = field(default_factory=dict)
    generated: dict[str, str] = field(default_factory=dict)

    def path(self, number: int) -> Path:
        return self.root / self.digests[number]

    def logs_of(self, number: int) -> list[str]:
        """The day's log files that a digest names."""
        named = [file["s3Object"] for file in content_of(self.path(number))["logFiles"]]
        return [key for key in named if key in self.logs]


def take(delivered: Delivered, numbers: Iterable[int]) -> None:
    """Removes digests, where they are, with the log files that they name."""
    for number in numbers:
        if delivered.path(number).exists():
            for file in content_of(delivered.path(number))["logFiles"]:
                (delivered.root / file["s3Object"]).unlink()
            delivered.path(number).unlink()


def content_of(path: Path) -> Content:
    content: Content = json.loads(gzip.decompress(path.read_bytes()))
    return content


def written(path: Path, content: Content) -> None:
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def deliver(
    root: Path,
    change: Change = lambda number, content: None,  # noqa: ARG005
    trail: str = "trail_one",
    account_folder: str = f"AWSLogs/{ACCOUNT}",
    prefix: str = "",
    newest: int = NEWEST,
    key_of: Callable[[int], rsa.RSAPrivateKey] = lambda number: SIGNING,  # noqa: ARG005
) -> Delivered:
    """Writes two log files an hour, and a chain of digests; `change` alters a digest before it is hashed and signed."""
    delivered = Delivered(root)
    previous: tuple[str, str, str] | None = None
    for number in range(newest + 1):
        end = FIRST_END + timedelta(hours=number)
        files = []
        for minutes in (50, 20):
            at = end - timedelta(minutes=minutes)
            name = f"{ACCOUNT}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{trail}{number:08}.json.gz"
            log = f"{account_folder}/CloudTrail/{REGION}/{at:%Y/%m/%d}/{name}"
            text = log_text([event(1), event(number)])
            put(root, log, gzip.compress(text, mtime=0))
            if at.date() == DAY:
                delivered.logs.append(log)
            files.append(named_file(prefix + log, text))
        name = f"{ACCOUNT}_CloudTrail-Digest_{REGION}_{trail}_us-east-1_{end:%Y%m%dT%H%M%SZ}.json.gz"
        digest = f"{account_folder}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/{name}"
        content = {
            "awsAccountId": ACCOUNT,
            "digestStartTime": f"{end - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
            "digestEndTime": f"{end:%Y-%m-%dT%H:%M:%SZ}",
            "digestS3Bucket": BUCKET,
            "digestS3Object": prefix + digest,
            "digestPublicKeyFingerprint": FINGERPRINT,
            "digestSignatureAlgorithm": "SHA256withRSA",
            "newestEventTime": None,
            "oldestEventTime": None,
            **previous_fields(previous),
            "logFiles": files,
        }
        change(number, content)
        written(root / put(root, digest, b""), content)
        signature = signed(content, root / digest, key_of(number))
        previous = prefix + digest, text_sha256(root / digest), signature
        delivered.digests.append(digest)
        delivered.signatures[digest] = signature
    return delivered


def named_file(key: str, text: bytes) -> Content:
    hashed = hashlib.sha256(text).hexdigest()
    return {"s3Bucket": BUCKET, "s3Object": key, "hashValue": hashed, "hashAlgorithm": "SHA-256"}


def previous_fields(previous: tuple[str, str, str] | None) -> Content:
    key, hashed, signature = previous or (None, None, None)
    return {
        "previousDigestS3Bucket": BUCKET if key else None,
        "previousDigestS3Object": key,
        "previousDigestHashValue": hashed,
        "previousDigestHashAlgorithm": "SHA-256" if key else None,
        "previousDigestSignature": signature,
    }


def text_sha256(path: Path) -> str:
    return hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()


def signed(content: Content, path: Path, key: rsa.RSAPrivateKey) -> str:
    text = "{}\n{}/{}\n{}\n{}".format(
        content["digestEndTime"],
        content["digestS3Bucket"],
        content["digestS3Object"],
        text_sha256(path),
        content["previousDigestSignature"] or "null",
    )
    return key.sign(text.encode(), PKCS1v15(), SHA256()).hex()


def only(at: int, **fields: Any) -> Change:
    """Changes the fields of one digest before it is signed."""
    return lambda number, content: content.update(fields) if number == at else None


PROVING = to_prove(expected())


def check(
    root: Path | str, keys: list[PublicKey] | None = KEYS, day: date = DAY, proving: ToProve | None = None
) -> Integrity:
    """Without keys no digests are expected, if nothing else is said: what contradicts is found all the same."""
    proving = proving or (to_prove() if keys is None else PROVING)
    store = open_store(str(root))
    found = check_digests(store, day, deliveries(store, day), lambda _: keys, None, proving)
    assert [file.log_file for file in found.files] == sorted({file.log_file for file in found.files}), "each file once"
    for text in [found.summary, *(file.fault or "" for file in found.files)]:
        assert text.isprintable(), "every text is one line"
        assert len(text) < 700
    return found


def by_key(found: Integrity) -> dict[str, Checked]:
    return {file.log_file: file for file in found.files}


def faults(found: Integrity) -> dict[str, str]:
    return {file.log_file: file.fault for file in found.files if file.fault}


def uncovered(hours: str, trail: str = "trail_one", digest: str = "signed digest") -> str:
    reasons = "not delivered yet, or removed, or logging or validation was off"
    return f"has no {digest} of trail {trail}_us-east-1 for {hours}: {reasons}"


def unproven(found: Integrity) -> set[str]:
    return {file.log_file for file in found.files if file.kind == "log" and not file.is_proven}


def base(key: str) -> str:
    return key.rpartition("/")[2]


def in_s3(delivered: Delivered, bucket: str, prefix: str = "") -> str:
    """Copies what was delivered into a bucket, the signatures beside the digests, and gives back its address."""
    client = boto3.client("s3")
    client.create_bucket(Bucket=bucket)
    for path in delivered.root.rglob("*.json.gz"):
        key = path.relative_to(delivered.root).as_posix()
        signature = delivered.signatures.get(key)
        metadata = {"signature": signature, "signature-algorithm": "SHA256withRSA"} if signature else {}
        if key in delivered.generated:
            metadata["backfill-generation-timestamp"] = delivered.generated[key]
        client.put_object(Bucket=bucket, Key=prefix + key, Body=path.read_bytes(), Metadata=metadata)
    return f"s3://{bucket}/{prefix}".rstrip("/")


# --------------------------------------------------------------------------------------------------- nothing is wrong
def test_a_day_as_cloudtrail_left_it_is_proven(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    found = check(tmp_path)
    assert found.summary == "integrity proven: 48 of 48 log files by 25 signed digests"
    assert set(by_key(found)) == {*delivered.logs, *delivered.digests[FIRST : LAST + 1]}
    assert all(file.is_proven and not file.is_gone and file.fault is None for file in found.files)
    log, digest = by_key(found)[delivered.logs[0]], by_key(found)[delivered.digests[FIRST]]
    for file in (log, digest):
        assert file.sha256 == hashlib.sha256((tmp_path / file.log_file).read_bytes()).hexdigest()
    assert (log.kind, log.account_id, log.region, log.records) == ("log", ACCOUNT, REGION, 2)
    assert (digest.kind, digest.account_id, digest.region, digest.records) == ("digest", ACCOUNT, REGION, None)


def test_the_time_that_is_proven_is_that_between_start_and_end_of_signed_digests(tmp_path: Path) -> None:
    def covered() -> int:
        return sum(file.covered_seconds or 0 for file in check(tmp_path).files)

    delivered = deliver(tmp_path)
    assert covered() == 24 * 3600, "with the first digest of the next day, which covers the last minutes"
    delivered.path(MIDDLE).unlink()
    assert covered() == 22 * 3600, "without its hour, and the one before, for which nothing signs now"


def test_in_a_folder_nothing_signs_for_the_newest_digest_so_its_log_files_are_not_proven_yet(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, newest=SPILLED)
    found = check(tmp_path)
    assert faults(found) == {DIGESTS: uncovered("23:40 to 24:00")}
    assert unproven(found) == set(delivered.logs_of(SPILLED)) != set()
    assert found.summary == (
        "integrity not yet proven: 47 of 48 log files by 24 signed digests; "
        "digests do not cover the day in 1 account and region"
    )


@pytest.mark.usefixtures("s3")
def test_in_s3_the_newest_digest_has_its_signature_beside_it(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, newest=SPILLED, prefix="some/prefix/")
    proving = to_prove(expected(), prefix="some/prefix/")
    found = check(in_s3(delivered, "digests-newest", "some/prefix/"), proving=proving)
    assert not faults(found)
    assert found.summary == "integrity proven: 48 of 48 log files by 25 signed digests"


@pytest.mark.usefixtures("s3")
def test_in_s3_the_signature_beside_a_digest_must_be_the_one_that_the_next_one_has(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    delivered.signatures[delivered.digests[MIDDLE]] = delivered.signatures[delivered.digests[MIDDLE + 1]]
    delivered.signatures[delivered.digests[NEWEST - 2]] = "no hex"
    found = check(in_s3(delivered, "digests-two-signatures"))
    named = delivered.digests[MIDDLE], delivered.digests[SPILLED]
    assert faults(found) == dict.fromkeys(
        named, "has a signature that is not the one which the digest after it gives for it"
    )
    assert unproven(found) == {*delivered.logs_of(MIDDLE), *delivered.logs_of(SPILLED)}


@pytest.mark.usefixtures("s3")
def test_in_s3_a_signature_that_is_no_hex_is_a_fault(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, newest=SPILLED)
    delivered.signatures[delivered.digests[SPILLED]] = "no hex"
    found = check(in_s3(delivered, "digests-no-hex"))
    assert list(faults(found)) == [delivered.digests[SPILLED]]
    assert "does not hold" in faults(found)[delivered.digests[SPILLED]]


def test_a_chain_may_begin_on_the_day(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    for number in range(MIDDLE):
        delivered.path(number).unlink()
    written(delivered.path(MIDDLE), content_of(delivered.path(MIDDLE)) | previous_fields(None))
    found = check(tmp_path, None)
    assert list(faults(found)) == [DIGESTS, delivered.digests[MIDDLE]], "the next one has taken another hash"
    begun = deliver(tmp_path / "begun", only(MIDDLE, **previous_fields(None)))
    for number in range(MIDDLE):
        begun.path(number).unlink()
    assert "for 00:00 to 10:40" in faults(check(tmp_path / "begun"))[DIGESTS], "digests were expected before this day"
    found = check(tmp_path / "begun", proving=to_prove(expected(since=DAY)))
    assert not faults(found)
    assert unproven(found) == set(begun.logs[: begun.logs.index(begun.logs_of(MIDDLE)[0])])


def test_an_hour_without_log_files_is_no_fault(tmp_path: Path) -> None:
    deliver(tmp_path, only(MIDDLE, logFiles=[]))
    for path in (tmp_path / f"AWSLogs/{ACCOUNT}/CloudTrail").rglob(f"*{MIDDLE:08}.json.gz"):
        path.unlink()
    assert check(tmp_path).summary == "integrity proven: 46 of 46 log files by 25 signed digests"


def test_an_organizations_folder_may_stand_above_the_account(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, account_folder=f"AWSLogs/o-ab12cd34ef/{ACCOUNT}")
    assert check(tmp_path).summary == "integrity proven: 48 of 48 log files by 25 signed digests"
    delivered.path(MIDDLE).unlink()
    assert by_key(check(tmp_path))[delivered.digests[MIDDLE]].is_gone


def test_two_trails_in_one_bucket_have_a_chain_each(tmp_path: Path) -> None:
    one, two = deliver(tmp_path), deliver(tmp_path, trail="two")
    both = to_prove(expected(), expected("two"))
    assert check(tmp_path, proving=both).summary == "integrity proven: 96 of 96 log files by 50 signed digests"
    logs = one.logs_of(MIDDLE)
    one.path(MIDDLE).unlink()
    found = check(tmp_path, proving=both)
    assert list(faults(found)) == [one.digests[MIDDLE]]
    # the digest that is gone was the one to say whether they are as they were
    assert unproven(found) == {*logs, *one.logs_of(MIDDLE - 1)}
    assert not set(two.logs) & unproven(found)


def test_accounts_and_regions_without_digests_are_counted_and_not_read(tmp_path: Path) -> None:
    deliver(tmp_path)
    other = put(tmp_path, f"AWSLogs/444455556666/CloudTrail/{REGION}/2026/03/10/a.json.gz", b"x")
    found = check(tmp_path)
    assert other not in by_key(found)
    assert found.summary == (
        "integrity not yet proven: 48 of 49 log files by 25 signed digests; "
        "1 in accounts and regions without digest files"
    )


def test_without_digests_nothing_is_read_and_nothing_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered = deliver(tmp_path)
    for number in range(NEWEST + 1):
        delivered.path(number).unlink()
    monkeypatch.setattr(FolderStore, "read", lambda *_: pytest.fail("something was read"))
    assert check(tmp_path, proving=to_prove()) == Integrity([], NO_DIGESTS)


def test_without_keys_hashes_and_chain_are_checked_and_nothing_is_proven(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    found = check(tmp_path, None)
    assert found.summary.startswith("hashes match in 48 of 48 log files, signatures not proven: no public keys")
    assert not any(file.is_proven or file.fault for file in found.files)
    (tmp_path / delivered.logs[3]).unlink()
    delivered.path(MIDDLE).unlink()
    found = check(tmp_path, None)
    assert set(faults(found)) == {delivered.logs[3], delivered.digests[MIDDLE]}
    assert found.summary.startswith("integrity broken: 2 faults, hashes match in 45 of 47 log files, signatures not")


# -------------------------------------------------------------------------------------------------------- the log files
def test_a_changed_log_file_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log = delivered.logs_of(MIDDLE)[0]
    (tmp_path / log).write_bytes(gzip.compress(log_text([event(2)])))
    found = check(tmp_path)
    digest = base(delivered.digests[MIDDLE])
    assert faults(found) == {log: f"was changed after delivery: its SHA-256 is not the one in digest {digest}"}
    assert unproven(found) == {log}
    assert by_key(found)[log].records == 1
    assert found.summary == "integrity broken: 1 fault, 47 of 48 log files by 25 signed digests"


@pytest.mark.parametrize("data", [b"", b"no gzip", gzip.compress(log_text([event()]))[:-9]])
def test_a_log_file_that_became_unreadable_was_changed(tmp_path: Path, data: bytes) -> None:
    delivered = deliver(tmp_path)
    (tmp_path / delivered.logs[5]).write_bytes(data)
    found = check(tmp_path)
    assert list(faults(found)) == [delivered.logs[5]]
    assert by_key(found)[delivered.logs[5]].records is None


def test_a_log_file_that_cannot_be_read_is_not_proven(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log = tmp_path / delivered.logs[5]
    log.unlink()
    log.symlink_to(tmp_path)
    found = by_key(check(tmp_path))[delivered.logs[5]]
    assert found.fault is not None
    assert found.fault.startswith("cannot be read")
    assert (found.sha256, found.records, found.is_proven) == (None, None, False)


def test_a_log_file_compressed_anew_is_still_what_was_signed(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log = tmp_path / delivered.logs[5]
    log.write_bytes(gzip.compress(gzip.decompress(log.read_bytes()), 1, mtime=7))
    assert check(tmp_path).summary.startswith("integrity proven: 48 of 48")


def test_a_removed_log_file_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log = delivered.logs_of(SPILLED)[0]
    (tmp_path / log).unlink()
    found = check(tmp_path)
    digest = base(delivered.digests[SPILLED])
    assert by_key(found)[log] == Checked(
        log, ACCOUNT, REGION, "log", None, None, False, True, f"is gone: digest {digest} names it"
    )
    assert found.summary == "integrity broken: 1 fault, 47 of 47 log files by 25 signed digests"


def test_all_log_files_and_digests_of_the_day_removed_are_found_by_the_next_days_digests(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    gone = {delivered.digests[LAST], *delivered.logs_of(SPILLED)}
    for key in [*delivered.digests[FIRST : LAST + 1], *delivered.logs]:
        (tmp_path / key).unlink()
    assert set(faults(check(tmp_path))) == {*gone, DIGESTS}


@pytest.mark.parametrize("name", ["20260310T1202Z_added", "19990101T0000Z_added", "20269999T0000Z_x", "added"])
def test_an_added_log_file_is_found(tmp_path: Path, name: str) -> None:
    deliver(tmp_path)
    added = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/{ACCOUNT}_CloudTrail_{REGION}_{name}.json.gz"
    put(tmp_path, added, gzip.compress(log_text([event()])))
    found = check(tmp_path)
    assert faults(found) == {added: "is named by no digest"}
    assert not by_key(found)[added].is_proven


def test_a_log_file_that_no_digest_can_name_yet_is_no_fault(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, newest=MIDDLE)
    at = FIRST_END + timedelta(hours=MIDDLE)
    names = [f"{ACCOUNT}_CloudTrail_{REGION}_{at + timedelta(minutes=m):%Y%m%dT%H%MZ}_x.json.gz" for m in (-50, 20)]
    late = [put(tmp_path, f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/{name}", b"") for name in names]
    found = check(tmp_path)
    assert faults(found) == {DIGESTS: uncovered("10:40 to 24:00")}
    assert unproven(found) == {*late, *delivered.logs_of(MIDDLE)}


@pytest.mark.parametrize(("time", "is_found"), [("0039", False), ("0040", True), ("1040", True), ("1041", False)])
def test_an_added_log_file_is_found_where_digests_cover_an_hour_before_and_after_it(
    tmp_path: Path, time: str, is_found: bool
) -> None:
    delivered = deliver(tmp_path, only(FIRST, **previous_fields(None)), newest=MIDDLE)  # they cover 23:40 to 11:40
    take(delivered, range(FIRST))
    added = put(tmp_path, f"{FOLDER}_20260310T{time}Z_x.json.gz", gzip.compress(log_text([event(9)])))
    found = check(tmp_path, None)
    assert added in unproven(found)
    assert (faults(found).get(added) == "is named by no digest") == is_found


def test_where_a_digest_is_gone_a_log_file_that_none_names_is_no_fault_of_its_own(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    logs = delivered.logs_of(MIDDLE)
    delivered.path(MIDDLE).unlink()
    found = check(tmp_path)
    assert set(logs) <= unproven(found)
    assert not set(logs) & set(faults(found))


# ---------------------------------------------------------------------------------------------------------- the digests
@pytest.mark.parametrize("number", [FIRST - 1, FIRST, MIDDLE, LAST, SPILLED])
def test_a_removed_digest_is_found(tmp_path: Path, number: int) -> None:
    delivered = deliver(tmp_path)
    logs = delivered.logs_of(number)
    delivered.path(number).unlink()
    found = check(tmp_path)
    key, by = delivered.digests[number], base(delivered.digests[number + 1])
    assert faults(found) == {key: f"is gone: digest {by} names it"}
    assert by_key(found)[key].is_gone
    # with it goes the signature of the one before it
    assert unproven(found) == {*logs, *delivered.logs_of(number - 1)}


def test_a_digest_removed_of_the_next_day_is_a_matter_of_the_next_day(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    delivered.path(SPILLED + 1).unlink()
    found = check(tmp_path)
    assert faults(found) == {DIGESTS: uncovered("23:40 to 24:00")}
    assert unproven(found) == set(delivered.logs_of(SPILLED)), "nothing signs for the one before"
    assert delivered.digests[SPILLED + 1] in faults(check(tmp_path, day=date(2026, 3, 11)))


@pytest.mark.parametrize("keys", [KEYS, None])
@pytest.mark.parametrize(
    ("first", "hours", "unsigned"),
    # the last one that is left is unsigned where what signed for it is gone, too
    [
        (18, "14:40 to 24:00", "15:40 to 24:00"),
        (FIRST - 1, "00:00 to 24:00", "00:00 to 24:00"),
        (SPILLED, "22:40 to 24:00", "23:40 to 24:00"),
        (SPILLED + 1, "23:40 to 24:00", None),
    ],
)
def test_the_last_digests_removed_with_the_log_files_that_they_name_leave_a_hole(
    tmp_path: Path, first: int, hours: str, unsigned: str | None, keys: list[PublicKey] | None
) -> None:
    delivered = deliver(tmp_path)
    take(delivered, range(first, NEWEST + 1))
    found = check(tmp_path, keys)
    if not keys and unsigned is None:
        assert not faults(found)
        return
    hole = uncovered(hours) if keys else uncovered(unsigned or "", digest="digest")
    assert faults(found) == {DIGESTS: hole}
    assert by_key(found)[DIGESTS].is_gone, "there is no such file"
    assert "; digests do not cover the day in 1 account and region" in found.summary
    assert not found.summary.startswith("integrity proven")


@pytest.mark.parametrize(("keys", "hours"), [(KEYS, "08:40 to 10:40"), (None, "09:40 to 10:40")])
def test_a_faulty_digest_explains_its_own_hour_and_not_that_of_one_that_is_gone_before_it(
    tmp_path: Path, keys: list[PublicKey] | None, hours: str
) -> None:
    delivered = deliver(tmp_path)
    take(delivered, [MIDDLE - 1])
    delivered.path(MIDDLE).write_bytes(b"garbage")
    found = faults(check(tmp_path, keys))
    assert found[DIGESTS] == uncovered(hours, digest="signed digest" if keys else "digest")


def test_digests_removed_up_to_far_into_the_next_day_leave_a_hole(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, newest=60)
    take(delivered, range(19, 30))
    assert faults(check(tmp_path)) == {DIGESTS: uncovered("15:40 to 24:00")}
    take(delivered, range(19))
    assert faults(check(tmp_path)) == {DIGESTS: uncovered("00:00 to 24:00")}, "the next day's still name an older one"


@pytest.mark.parametrize("number", [27, SPILLED + 3, 31])
def test_a_trail_that_begins_on_the_next_day_owes_this_one_nothing(tmp_path: Path, number: int) -> None:
    delivered = deliver(tmp_path, only(number, **previous_fields(None)), newest=number + 3)
    take(delivered, range(number))
    assert check(tmp_path, proving=to_prove()).files == []


def test_forged_digests_without_signatures_cover_nothing(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    take(delivered, range(18, NEWEST + 1))
    for number in range(18, NEWEST + 1):  # each of a trail of its own, so that no chain says anything of them
        end = FIRST_END + timedelta(hours=number)
        key = delivered.digests[number].replace("trail_one", f"forged{number}")
        content = content_of(delivered.path(0)) | previous_fields(None)
        times = {"digestStartTime": end - timedelta(hours=1), "digestEndTime": end}
        content |= {name: f"{time:%Y-%m-%dT%H:%M:%SZ}" for name, time in times.items()}
        written(tmp_path / put(tmp_path, key, b""), content | {"digestS3Object": key, "logFiles": []})
    found = check(tmp_path)
    assert list(faults(found)) == [DIGESTS]
    assert not any(file.is_proven for file in found.files if "forged" in file.log_file)


@pytest.mark.slow
@pytest.mark.parametrize("keys", [KEYS, None])
@pytest.mark.parametrize("number", [FIRST - 1, FIRST, MIDDLE, LAST, SPILLED])
def test_a_changed_digest_is_found(tmp_path: Path, number: int, keys: list[PublicKey] | None) -> None:
    delivered = deliver(tmp_path)
    content = content_of(delivered.path(number))
    dropped = content["logFiles"].pop()["s3Object"]
    written(delivered.path(number), content)
    found = check(tmp_path, keys)
    key, by = delivered.digests[number], base(delivered.digests[number + 1])
    assert faults(found) == {key: f"was changed after delivery: its SHA-256 is not the one in digest {by}"}
    if keys:
        assert unproven(found) == {*delivered.logs_of(number), dropped} & set(delivered.logs)


@pytest.mark.slow
def test_every_changed_byte_in_the_content_of_a_digest_or_log_file_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    chance = random.Random(20260310)  # noqa: S311
    for key in [delivered.digests[MIDDLE], delivered.logs_of(MIDDLE)[0]] * 30:
        path = tmp_path / key
        before = path.read_bytes()
        text = bytearray(gzip.decompress(before))
        position = chance.randrange(len(text))
        text[position] ^= 1 << chance.randrange(8)
        path.write_bytes(gzip.compress(bytes(text), 1))
        found = by_key(check(tmp_path))[key]
        path.write_bytes(before)
        assert found.fault, f"byte {position} of {key}"
        assert not found.is_proven
    assert not faults(check(tmp_path))


@pytest.mark.slow
def test_every_changed_byte_of_the_compressed_file_is_found_or_changes_nothing(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    chance = random.Random(10032026)  # noqa: S311
    found_changes = 0
    for key in [delivered.digests[MIDDLE], delivered.logs_of(MIDDLE)[0]] * 30:
        path = tmp_path / key
        before = path.read_bytes()
        data = bytearray(before)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        found = by_key(check(tmp_path))[key]
        path.write_bytes(before)
        try:
            is_same = gzip.decompress(data) == gzip.decompress(before)
        except Exception:
            is_same = False
        assert (found.fault is None) == is_same
        found_changes += not is_same
    assert found_changes > 40


def test_a_digest_that_claims_to_be_the_first_while_older_ones_are_there_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, only(MIDDLE, **previous_fields(None)))
    found = check(tmp_path)
    assert list(faults(found)) == [delivered.digests[MIDDLE]]
    assert faults(found)[delivered.digests[MIDDLE]].startswith("claims to be the first of its chain, though ")
    assert unproven(found) == {*delivered.logs_of(MIDDLE), *delivered.logs_of(MIDDLE - 1)}


def test_a_digest_signed_with_another_key_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, key_of=lambda _: OTHER)
    found = check(tmp_path)
    digests = delivered.digests[FIRST - 1 : SPILLED + 1]
    assert faults(found) == dict.fromkeys(
        digests, "has a signature that does not hold: it is not as CloudTrail signed it"
    )
    assert unproven(found) == set(delivered.logs)
    assert found.summary == "integrity broken: 26 faults, 0 of 48 log files by 0 signed digests"


@pytest.mark.parametrize("keys", [[], [PublicKey("ff", KEYS[0].der, KEYS[0].valid_from, KEYS[0].valid_until)]])
def test_a_key_that_is_not_among_the_public_keys_is_a_fault(tmp_path: Path, keys: list[PublicKey]) -> None:
    delivered = deliver(tmp_path)
    found = check(tmp_path, keys)
    fault = (
        f"is signed with key {FINGERPRINT}, which is not among the public keys; "
        "list-public-keys gives those of earlier days with --start-time and --end-time alone"
    )
    assert faults(found) == dict.fromkeys(delivered.digests[FIRST - 1 : SPILLED + 1], fault)
    assert not any(file.is_proven for file in found.files)


def test_a_key_is_good_for_the_time_in_which_it_was_valid_and_three_hours_around_it(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    until = FIRST_END + timedelta(hours=MIDDLE)
    early, late = public_key(valid_until=until), public_key(valid_from=until + timedelta(seconds=1))
    for key, wrong in (
        (early, delivered.digests[MIDDLE + 4 : SPILLED + 1]),
        (late, delivered.digests[FIRST - 1 : MIDDLE - 2]),
    ):
        found = check(tmp_path, [key])
        assert list(faults(found)) == wrong
        assert all(
            f"is signed with key {FINGERPRINT}, which was not valid at its end" in it for it in faults(found).values()
        )
    assert not faults(check(tmp_path, [early, late]))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"digestEndTime": "2026-03-10T07:40:00Z", "digestStartTime": "2026-03-10T06:40:00Z"}, "is backdated"),
        ({"digestStartTime": "2026-03-10T11:40:00Z"}, "which is not before its end"),
        ({"digestStartTime": "2026-03-10T10:39:59Z"}, "does not follow the digest before it"),
        ({"awsAccountId": "444455556666"}, "is of account 444455556666"),
        ({"digestSignatureAlgorithm": "MD5withRSA"}, "an algorithm that is not CloudTrail's"),
        ({"previousDigestHashAlgorithm": "MD5"}, "an algorithm that is not CloudTrail's"),
        ({"previousDigestHashValue": None}, "only in part"),
        ({"previousDigestS3Bucket": None}, "only in part"),
        ({"previousDigestS3Bucket": "elsewhere"}, "names a file elsewhere: s3://elsewhere/"),
        ({"previousDigestS3Object": "/etc/passwd"}, "names a file elsewhere"),
        ({"previousDigestS3Object": "AWSLogs/../../etc/passwd"}, "names a file elsewhere"),
        ({"previousDigestS3Object": f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}"}, "what is not a digest of its trail"),
        ({"digestS3Object": "AWSLogs/x"}, "does not lie where it was delivered"),
        ({"logFiles": [named_file("AWSLogs//x", b"")]}, "names a file elsewhere"),
        ({"logFiles": [named_file("AWSLogs/x\n\x1b[2J", b"")]}, "names a file elsewhere"),
        ({"logFiles": [named_file("y" * 9_000, b"")]}, "names a file elsewhere"),
        (
            {"logFiles": [named_file(f"{FOLDER}_20260310T1000Z_x.json.gz", b"") | {"s3Bucket": "elsewhere"}]},
            "names a file elsewhere",
        ),
        (
            {"logFiles": [named_file(f"{FOLDER}_20260310T1000Z_x.json.gz", b"") | {"hashAlgorithm": "MD5"}]},
            "an algorithm",
        ),
        ({"logFiles": [{}]}, "is not a CloudTrail digest: Object missing required field"),
        ({"logFiles": None}, "is not a CloudTrail digest: Expected `array`"),
        ({"digestEndTime": 1}, "is not a CloudTrail digest: Expected `str`"),
        ({"digestEndTime": "2026-03-10T07:40:00Z\n"}, "has a time that can't be read"),
        ({"awsAccountId": "\ud800"}, "is not a CloudTrail digest: "),
    ],
)
def test_a_digest_with_wrong_fields_is_found_though_it_is_signed(tmp_path: Path, fields: Content, fault: str) -> None:
    delivered = deliver(tmp_path, only(MIDDLE - 1, **fields))
    named = [key for key in delivered.logs if base(key).endswith(f"{MIDDLE - 1:08}.json.gz")]
    for keys in (KEYS, None):
        found = check(tmp_path, keys)
        assert fault in faults(found)[delivered.digests[MIDDLE - 1]]
        assert set(named) <= unproven(found)
        assert not set(delivered.logs) & set(faults(found)), "the log files are as they were"


def test_a_copied_digest_under_another_name_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    copy = delivered.digests[MIDDLE].replace("T114000Z", "T114001Z")
    put(tmp_path, copy, delivered.path(MIDDLE).read_bytes())
    found = check(tmp_path)
    assert faults(found) == {copy: f"does not lie where it was delivered, which is {delivered.digests[MIDDLE]}"}
    assert not unproven(found)


def test_the_place_in_a_digest_must_be_its_own_from_a_folder_on(tmp_path: Path) -> None:
    def prepend(number: int, content: Content) -> None:
        if number == MIDDLE:
            content["digestS3Object"] = f"not{content['digestS3Object']}"

    delivered = deliver(tmp_path, prepend)
    fault = f"does not lie where it was delivered, which is not{delivered.digests[MIDDLE]}"
    assert faults(check(tmp_path)) == {delivered.digests[MIDDLE]: fault}


def test_a_digest_copied_over_another_one_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    logs = delivered.logs_of(MIDDLE)
    delivered.path(MIDDLE).write_bytes(delivered.path(MIDDLE - 1).read_bytes())
    found = check(tmp_path)
    assert list(faults(found)) == [delivered.digests[MIDDLE]]
    assert set(logs) <= unproven(found)


def test_a_digest_put_beside_the_chain_is_found(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    added = put(tmp_path, delivered.logs[0].replace("0020Z", "0021Z"), gzip.compress(log_text([event(9)])))
    content = content_of(delivered.path(MIDDLE))
    key = delivered.digests[MIDDLE].replace("T114000Z", "T114001Z")
    content["digestS3Object"] = key
    content["logFiles"] = [named_file(added, log_text([event(9)]))]
    written(tmp_path / put(tmp_path, key, b""), content)
    found = check(tmp_path)
    assert "covers the same time as digest" in faults(found)[key]
    assert unproven(found) == {added}
    assert delivered.digests[MIDDLE] not in faults(found)


@pytest.mark.parametrize("end", ["10:40:01", "11:10:00", "11:39:59", "12:39:59"])
def test_a_digest_beside_the_chain_is_found_however_little_of_the_time_it_covers_too(tmp_path: Path, end: str) -> None:
    delivered = deliver(tmp_path)
    content = content_of(delivered.path(MIDDLE))
    key = delivered.digests[MIDDLE].replace("T114000Z", f"T{end.replace(':', '')}Z")
    content |= {"digestS3Object": key, "digestEndTime": f"2026-03-10T{end}Z", "logFiles": []}
    written(tmp_path / put(tmp_path, key, b""), content)
    found = faults(check(tmp_path, None))
    assert list(found) == [key]
    assert "covers the same time as digest" in found[key]


MINUTES = st.integers(min_value=-90, max_value=60 + 90)


@given(windows=st.lists(st.tuples(MINUTES, MINUTES).map(sorted), max_size=6))
def test_a_hole_is_the_first_time_however_short_that_no_window_covers(windows: list[list[int]]) -> None:
    def at(minute: int) -> datetime:
        return datetime(2026, 3, 10, tzinfo=UTC) + timedelta(minutes=minute)

    free = [minute for minute in range(60) if not any(begin <= minute < end for begin, end in windows)]
    first = free[:1]
    until = [minute for minute in range(first[0], 60) if minute not in free][:1] if first else []
    found = _hole([(at(begin), at(end)) for begin, end in windows], at(0), at(60))
    # an empty window covers nothing, though it may part a hole in two
    assert (found[0] if found else None) == (at(first[0]) if first else None)
    if found:
        assert found[0] < found[1] <= at(until[0] if until else 60)


def test_digests_of_another_trail_do_not_stand_in_for_a_chain(tmp_path: Path) -> None:
    other = deliver(tmp_path, trail="two")
    delivered = deliver(tmp_path, only(MIDDLE, previousDigestS3Object=other.digests[MIDDLE - 1]))
    found = check(tmp_path, proving=to_prove(expected(), expected("two")))
    assert list(faults(found)) == [delivered.digests[MIDDLE]]
    assert "not a digest of its trail" in faults(found)[delivered.digests[MIDDLE]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "is not a CloudTrail digest"),
        (b"garbage", "gzip is damaged"),
        (gzip.compress(b"garbage", mtime=0), "is not a CloudTrail digest"),
        (gzip.compress(b"[1]", mtime=0), "is not a CloudTrail digest"),
        (gzip.compress(b"{}", mtime=0), "missing required field"),
        (gzip.compress(b"[" * 100_000, mtime=0), "is not a CloudTrail digest"),
        (gzip.compress(b'\xff\xfe{"a":1}', mtime=0), "is not a CloudTrail digest"),
        (gzip.compress(b" " * (1 << 25) + b"1", mtime=0), "holds more than 33554432 bytes"),
    ],
)
def test_a_garbage_digest_is_a_fault_and_stops_nothing(tmp_path: Path, data: bytes, fault: str) -> None:
    delivered = deliver(tmp_path)
    logs = delivered.logs_of(MIDDLE)
    delivered.path(MIDDLE).write_bytes(data)
    found = check(tmp_path)
    assert list(faults(found)) == [delivered.digests[MIDDLE]]
    assert fault in faults(found)[delivered.digests[MIDDLE]]
    assert unproven(found) == {*logs, *delivered.logs_of(MIDDLE - 1)}


def test_a_field_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    delivered = deliver(tmp_path, newest=SPILLED)
    text = gzip.decompress(delivered.path(SPILLED).read_bytes())
    delivered.path(SPILLED).write_bytes(gzip.compress(b'{"logFiles":[],' + text[1:]))
    assert faults(check(tmp_path)) == {
        delivered.digests[SPILLED]: "has a field twice; it is unclear which one is meant"
    }


@pytest.mark.parametrize(
    "name", ["a.json.gz", f"{ACCOUNT}_CloudTrail-Digest_{REGION}_t_us-east-1_20269999T000000Z.json.gz", "12/a.json.gz"]
)
def test_a_file_among_the_digests_that_is_not_named_as_one_is_a_fault(tmp_path: Path, name: str) -> None:
    key = put(tmp_path, f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/2026/03/10/{name}", b"x")
    fault = "does not lie where CloudTrail delivers digests, or is not named as one"
    assert faults(check(tmp_path, proving=to_prove())) == {key: fault}
    deliver(tmp_path)
    found = check(tmp_path)
    assert faults(found) == {key: fault}
    assert not unproven(found)


def test_a_forged_digest_neither_proves_nor_denies_against_a_signed_one(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log, same = delivered.logs_of(MIDDLE)
    text = log_text([event(99)])
    (tmp_path / log).write_bytes(gzip.compress(text))
    change = only(MIDDLE, logFiles=[named_file(log, text), named_file(same, text)])
    forged = deliver(tmp_path / "forged", change, trail="forged", key_of=lambda _: OTHER)
    put(tmp_path, forged.digests[MIDDLE], forged.path(MIDDLE).read_bytes())
    put(tmp_path, forged.digests[MIDDLE + 1], forged.path(MIDDLE + 1).read_bytes())
    found = check(tmp_path)
    assert not by_key(found)[same].fault
    assert by_key(found)[same].is_proven
    assert "was changed after delivery" in faults(found)[log]
    assert "does not hold" in faults(found)[forged.digests[MIDDLE]]


def forged(delivered: Delivered, name: str, log: str) -> str:
    """Puts a digest into the day's folder that nobody signed; it names a log file as it is now."""
    content = content_of(delivered.path(FIRST)) | previous_fields(None)
    content["logFiles"] = [named_file(log, gzip.decompress((delivered.root / log).read_bytes()))]
    key = f"{DIGESTS}/{ACCOUNT}_CloudTrail-Digest_{REGION}_trail_one_us-east-1_{name}.json.gz"
    content["digestS3Object"] = key
    written(delivered.root / key, content)
    return key


@pytest.mark.slow
@pytest.mark.parametrize("name", ["20260310T004000Z_backfill", "20260101T004000Z"])
@pytest.mark.parametrize("keys", [KEYS, None], ids=["with keys", "without keys"])
def test_a_digest_that_nobody_signed_excuses_no_changed_log_file(
    tmp_path: Path, name: str, keys: list[PublicKey] | None
) -> None:
    delivered = deliver(tmp_path)
    log = delivered.logs[20]
    (tmp_path / log).write_bytes(gzip.compress(log_text([event(7)]), mtime=0))
    digest = forged(delivered, name, log)
    found = faults(check(tmp_path, keys))
    assert found.pop(log).startswith("was changed after delivery: its SHA-256 is not the one in digest ")
    assert set(found) <= {digest}


def test_a_digest_that_nobody_signed_excuses_no_log_file_that_was_added(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log = delivered.logs[20].replace("_trail_one", "_added")
    put(tmp_path, log, gzip.compress(log_text([event(7)]), mtime=0))
    assert faults(check(tmp_path)) == {log: "is named by no digest"}
    forged(delivered, "20260310T004000Z_backfill", log)
    assert faults(check(tmp_path)) == {log: "is named by no signed digest"}


def test_a_day_without_log_files_is_not_called_proven(tmp_path: Path) -> None:
    deliver(tmp_path, lambda _, content: content.update(logFiles=[]))
    for log in tmp_path.glob("AWSLogs/*/CloudTrail/**/*.gz"):
        log.unlink()
    assert check(tmp_path).summary == "integrity: no log files to prove, by 25 signed digests"


def backfilled(
    delivered: Delivered, generated: str | None, key: rsa.RSAPrivateKey = SIGNING, fingerprint: str = FINGERPRINT
) -> str:
    """Adds a log file that no hourly digest names, and a backfill digest that names it; gives the log file's key."""
    root = delivered.root
    log = put(root, delivered.logs[4].replace("0220Z", "0221Z"), gzip.compress(log_text([event(7)])))
    digest = delivered.digests[FIRST + 2].replace(".json.gz", "_backfill.json.gz")
    content = content_of(delivered.path(FIRST + 2)) | previous_fields(None)
    content |= {"digestS3Object": digest, "logFiles": [named_file(log, log_text([event(7)]))]}
    content |= {"digestPublicKeyFingerprint": fingerprint}
    written(root / put(root, digest, b""), content)
    delivered.signatures[digest] = signed(content, root / digest, key)
    if generated:
        delivered.generated[digest] = generated
    return log


@pytest.mark.slow
@pytest.mark.usefixtures("s3")
def test_a_backfill_digest_proves_what_the_hourly_one_left_out(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    log = backfilled(delivered, "2026-04-01T10:00:00Z")
    digest = next(iter(delivered.generated))
    content = (tmp_path / digest).read_bytes()
    (tmp_path / digest).unlink()
    assert faults(check(tmp_path)) == {log: "is named by no digest"}
    put(tmp_path, digest, content)
    found = check(in_s3(delivered, "digests-backfill"))
    assert not faults(found)
    assert found.summary == "integrity proven: 49 of 49 log files by 26 signed digests"


# ------------------------------------------------------------------------------------------------------------- the keys
def key_entry(**changes: Any) -> dict[str, Any]:
    return {
        "Value": base64.b64encode(KEYS[0].der).decode(),
        "ValidityStartTime": "2026-01-01T00:00:00+00:00",
        "ValidityEndTime": datetime(2026, 12, 31, tzinfo=UTC).timestamp(),
        "Fingerprint": FINGERPRINT,
        **changes,
    }


def key_file(folder: Path, text: str) -> Path:
    return folder / put(folder, "keys.json", text.encode())


def test_keys_are_read_from_what_the_cli_prints(tmp_path: Path) -> None:
    assert keys_from_file(key_file(tmp_path, json.dumps({"PublicKeyList": [key_entry()]}))) == KEYS
    assert keys_from_file(key_file(tmp_path, json.dumps({"PublicKeyList": []}))) == []
    naive = key_entry(ValidityStartTime="2026-01-01T00:00:00")
    assert keys_from_file(key_file(tmp_path, json.dumps({"PublicKeyList": [naive]}))) == KEYS


def test_what_the_cli_printed_for_several_regions_may_stand_in_one_file(tmp_path: Path) -> None:
    page = json.dumps({"PublicKeyList": [key_entry()]}, indent=4)
    assert keys_from_file(key_file(tmp_path, f"{page}\n{page}\n")) == KEYS * 2


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        "1",
        "null",
        "{}",
        '{"PublicKeyList": 1}',
        '{"PublicKeyList": [1]}',
        '{"PublicKeyList": []} and more',
        "[" * 100_000,
        *(
            json.dumps({"PublicKeyList": [key_entry(**changes)]})
            for changes in (
                {"Value": "no base64"},
                {"Value": None},
                {"Value": base64.b64encode(b"no key").decode()},
                {
                    "Value": base64.b64encode(
                        ec_key(SECP256R1()).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
                    ).decode()
                },
                {"ValidityStartTime": "yesterday"},
                {"ValidityStartTime": None},
                {"ValidityEndTime": 1e99},
                {"Fingerprint": 1},
            )
        ),
    ],
)
def test_what_is_no_key_file_is_one_clear_line(tmp_path: Path, content: str) -> None:
    file = key_file(tmp_path, content)
    with pytest.raises(UsageError) as error:
        keys_from_file(file)
    assert str(error.value).startswith(f"{file}: not what `aws cloudtrail list-public-keys` prints: ")
    assert str(error.value).isprintable()


def test_a_key_file_that_is_not_there_or_no_text_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        keys_from_file(tmp_path / "none.json")
    (tmp_path / "keys.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match=r"keys\.json: not what"):
        keys_from_file(tmp_path / "keys.json")


@dataclass
class Session:
    """An AWS session whose one client answers as it is told: moto does not know ListPublicKeys."""

    stubber: Stubber

    def client(self, service: str, region_name: str) -> Any:
        if region_name == "xx-fake-1":
            raise EndpointConnectionError(endpoint_url="https://cloudtrail.xx-fake-1")
        assert (service, region_name) == ("cloudtrail", "eu-west-1")
        return self.stubber.client


def keys_in(cloudtrail: Stubber, *regions: str) -> list[PublicKey]:
    return keys_from_cloudtrail(cast(boto3.Session, Session(cloudtrail)), dict.fromkeys(regions, ()), DAY)


@pytest.fixture
def cloudtrail() -> Iterator[Stubber]:
    client: Any = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing").client(
        "cloudtrail", region_name="eu-west-1"
    )
    with Stubber(client) as stubber:
        yield stubber


def listed(number: int) -> dict[str, Any]:
    key = KEYS[0]
    return {
        "Value": key.der,
        "ValidityStartTime": key.valid_from,
        "ValidityEndTime": key.valid_until,
        "Fingerprint": f"{number}",
    }


def test_keys_are_asked_of_cloudtrail_page_by_page_for_the_days_around(cloudtrail: Stubber) -> None:
    asked = {"StartTime": datetime(2026, 3, 9, tzinfo=UTC), "EndTime": datetime(2026, 3, 12, tzinfo=UTC)}
    cloudtrail.add_response("list_public_keys", {"PublicKeyList": [listed(1)], "NextToken": "more"}, asked)
    cloudtrail.add_response("list_public_keys", {"PublicKeyList": [listed(2)]}, asked | {"NextToken": "more"})
    keys = keys_in(cloudtrail, "eu-west-1")
    cloudtrail.assert_no_pending_responses()
    assert [key.fingerprint for key in keys] == ["1", "2"]
    assert all(
        (key.der, key.valid_from, key.valid_until) == (KEYS[0].der, KEYS[0].valid_from, KEYS[0].valid_until)
        for key in keys
    )


def test_a_region_that_cannot_be_asked_keeps_no_other_from_being_checked(cloudtrail: Stubber, tmp_path: Path) -> None:
    cloudtrail.add_response("list_public_keys", {"PublicKeyList": [listed(1)]})
    with pytest.raises(SomeKeysMissing, match="public keys in xx-fake-1: Could not connect") as raised:
        keys_in(cloudtrail, "eu-west-1", "xx-fake-1")
    assert [key.fingerprint for key in raised.value.keys] == ["1"]

    def keys_of(_: KeysWanted) -> list[PublicKey]:
        raise SomeKeysMissing("no keys in xx-fake-1", KEYS)

    deliver(tmp_path)
    store = open_store(str(tmp_path))
    found = check_digests(store, DAY, deliveries(store, DAY), keys_of, None, PROVING)
    assert found.summary == "integrity proven: 48 of 48 log files by 25 signed digests (no keys in xx-fake-1)"


def test_a_refusal_of_cloudtrail_is_one_clear_line(cloudtrail: Stubber) -> None:
    cloudtrail.add_client_error("list_public_keys", "AccessDeniedException", "no")
    with pytest.raises(LogStoreError, match=r"^digests: cannot list CloudTrail's public keys in eu-west-1: .*Denied"):
        keys_in(cloudtrail, "eu-west-1")


def test_public_keys_are_asked_of_the_regions_of_the_digests_and_only_where_there_are_any(tmp_path: Path) -> None:
    asked: list[KeysWanted] = []

    def keys_of(wanted: KeysWanted) -> list[PublicKey]:
        asked.append(wanted)
        raise LogStoreError("not authorized")

    deliver(tmp_path)
    store = open_store(str(tmp_path))
    found = check_digests(store, DAY, deliveries(store, DAY), keys_of)
    assert asked == [{REGION: []}]
    assert "signatures not proven: no public keys (not authorized)" in found.summary
    assert [file for file in found.files if file.fault or file.is_proven] == []
    for path in tmp_path.glob("AWSLogs/*/CloudTrail-Digest/**/*.gz"):
        path.unlink()
    assert check_digests(store, DAY, deliveries(store, DAY), keys_of) == Integrity([], NO_DIGESTS)
    assert len(asked) == 1
