"""Where digests are expected, missing proof is a gap; what proves is of the expected trail, and in its place."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pci_log_review.cloudtrail.deliveries import deliveries, trails
from pci_log_review.cloudtrail.digest_files import delivering_trails
from pci_log_review.cloudtrail.digests import NO_ORIGIN, Integrity, check_digests
from pci_log_review.cloudtrail.expected import ExpectedTrail, ToProve
from pci_log_review.cloudtrail.keys import KeysWanted, PublicKey
from pci_log_review.cloudtrail.store import FolderStore, LogStoreError, open_store
from pci_log_review.common.aws import S3Place

from .native_logs import ACCOUNT, DAY, REGION, event, folder_of, log_text, put, put_log
from .test_digests import (
    BUCKET,
    DIGESTS,
    FINGERPRINT,
    FOLDER,
    KEYS,
    MIDDLE,
    NEWEST,
    PROVING,
    SINCE,
    Content,
    base,
    check,
    deliver,
    expected,
    faults,
    in_s3,
    named_file,
    only,
    take,
    to_prove,
    unproven,
)

UNNAMED = "is named by no signed digest of a trail that digest_trails.csv names"
WHY = "not delivered yet, or removed, or logging or validation was off"


def without(root: Path, part: str) -> None:
    """Removes every file with this in its name, as whoever may delete in the bucket can."""
    for path in root.rglob("*.json.gz"):
        if part in path.relative_to(root).as_posix():
            path.unlink()


def missing(trail: str = "trail_one") -> str:
    return f"has no digest of trail {trail}_us-east-1, though digest_trails.csv expects them since {SINCE}: {WHY}"


def test_all_digests_removed_with_a_log_file_are_a_gap(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    without(tmp_path, "CloudTrail-Digest")
    (tmp_path / delivered.logs[7]).unlink()
    found = check(tmp_path)
    assert faults(found) == {DIGESTS: missing()}
    assert found.summary == "integrity not proven: no digest files, though digest_trails.csv expects them"


def test_digests_and_logs_of_a_region_removed_are_a_gap_whatever_else_is_proven(tmp_path: Path) -> None:
    deliver(tmp_path)
    both = to_prove(expected(), replace(expected(), region="eu-west-1"))
    found = check(tmp_path, proving=both)
    assert faults(found) == {DIGESTS.replace(REGION, "eu-west-1"): missing()}
    assert not found.summary.startswith("integrity proven")


def test_digests_of_one_of_two_accounts_removed_are_a_gap(tmp_path: Path) -> None:
    deliver(tmp_path)
    other = "444455556666"
    put(tmp_path, f"AWSLogs/{other}/CloudTrail/{REGION}/2026/03/10/a.json.gz", gzip.compress(log_text([event()])))
    found = check(tmp_path, proving=to_prove(expected(), expected(account_id=other)))
    assert faults(found) == {DIGESTS.replace(ACCOUNT, other): missing()}


def test_the_digests_of_another_account_are_not_those_that_are_expected(tmp_path: Path) -> None:
    deliver(tmp_path)
    found = check(tmp_path, proving=to_prove(expected(account_id="444455556666")))
    assert list(faults(found)) == [DIGESTS.replace(ACCOUNT, "444455556666")]
    assert not any(file.is_proven for file in found.files)


def test_one_of_two_expected_trails_missing_is_a_gap_that_names_it(tmp_path: Path) -> None:
    deliver(tmp_path)
    assert faults(check(tmp_path, proving=to_prove(expected(), expected("two"), expected("three")))) == {
        DIGESTS: f"{missing('three')}; and {missing('two')}"
    }


@pytest.mark.parametrize("keys", [None, []], ids=["no keys", "an empty list of keys"])
def test_digests_that_nobody_can_verify_are_a_gap(tmp_path: Path, keys: list[PublicKey] | None) -> None:
    deliver(tmp_path)
    found = check(tmp_path, keys, proving=PROVING)
    assert faults(found)
    assert not any(file.is_proven for file in found.files)
    assert found.keys == []


def test_keys_that_listing_them_did_not_give_are_a_gap_and_unsigned_digests_vouch_for_nothing(tmp_path: Path) -> None:
    def keys_of(_: KeysWanted) -> list[PublicKey]:
        raise LogStoreError("digests: cannot list CloudTrail's public keys in us-east-1: AccessDenied")

    delivered = deliver(tmp_path)
    (tmp_path / delivered.logs[7]).write_bytes(gzip.compress(log_text([event(9)])))
    store = open_store(str(tmp_path))
    found = check_digests(store, DAY, deliveries(store, DAY), keys_of, None, PROVING)
    assert "has digests of trail trail_one_us-east-1 that prove nothing: signatures" in faults(found)[DIGESTS]
    assert "AccessDenied" in faults(found)[DIGESTS]
    assert delivered.logs[7] in faults(found), "what they contradict is told all the same"


def test_a_digest_that_cannot_be_read_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    delivered = deliver(tmp_path)
    read = FolderStore.read

    def denied(store: FolderStore, key: str) -> bytes:
        if key == delivered.digests[MIDDLE]:
            raise LogStoreError("cannot be read: AccessDenied")
        return read(store, key)

    monkeypatch.setattr(FolderStore, "read", denied)
    assert faults(check(tmp_path)) == {delivered.digests[MIDDLE]: "cannot be read: AccessDenied"}


def test_a_faulty_digest_hides_no_other_hour_that_is_missing(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    take(delivered, range(18, NEWEST + 1))
    delivered.path(4).write_bytes(b"garbage")
    put(tmp_path, f"{DIGESTS}/junk.json.gz", b"x")
    found = faults(check(tmp_path))
    assert set(found) == {DIGESTS, delivered.digests[4], f"{DIGESTS}/junk.json.gz"}
    assert "for 14:40 to 24:00" in found[DIGESTS]


def test_a_decoy_trail_proves_nothing(tmp_path: Path) -> None:
    """Its digests are CloudTrail's own, signed, and name nothing."""
    deliver(tmp_path, lambda _, content: content.update(logFiles=[]), trail="decoy")
    without(tmp_path, "/CloudTrail/")
    found = check(tmp_path, proving=to_prove())
    assert not any(file.is_proven for file in found.files), "so no hour counts as quiet"
    assert "digests of a trail that digest_trails.csv does not name prove nothing" in found.summary
    assert not found.summary.startswith("integrity proven")
    assert faults(check(tmp_path)) == {DIGESTS: missing()}, "nor does it stand in for the trail that is expected"


@pytest.mark.parametrize(
    ("trail", "home"), [("trail_one", "eu-west-1"), ("trail", "us-east-1"), ("Trail_one", "us-east-1")]
)
def test_a_trail_is_its_name_and_its_home_region(tmp_path: Path, trail: str, home: str) -> None:
    deliver(tmp_path)
    found = check(tmp_path, proving=to_prove(ExpectedTrail(trail, home, ACCOUNT, REGION, SINCE)))
    assert DIGESTS in faults(found)
    assert not any(file.is_proven for file in found.files)


def test_a_decoy_trail_does_not_vouch_for_a_file_nor_keep_one_that_was_added_from_being_found(tmp_path: Path) -> None:
    deliver(tmp_path)
    decoy = deliver(tmp_path, trail="decoy", newest=MIDDLE)
    added = put(tmp_path, f"{FOLDER}_20260310T2005Z_added.json.gz", gzip.compress(log_text([event(7)])))
    found = check(tmp_path)
    assert faults(found)[added] == "is named by no digest", "though the decoy's digests end before it"
    assert faults(found)[decoy.logs[2]] == "is named by no signed digest of a trail that digest_trails.csv names"
    assert not set(decoy.logs) - unproven(found)


def test_digests_expected_since_this_day_may_begin_on_it_and_those_since_an_earlier_one_may_not(tmp_path: Path) -> None:
    previous = dict.fromkeys(
        f"previousDigest{name}" for name in ("S3Bucket", "S3Object", "HashValue", "HashAlgorithm", "Signature")
    )
    delivered = deliver(tmp_path, only(MIDDLE, **previous))
    take(delivered, range(MIDDLE))
    assert not faults(check(tmp_path, proving=to_prove(expected(since=DAY))))
    assert "for 00:00 to 10:40" in faults(check(tmp_path))[DIGESTS]


def test_a_log_file_that_no_expected_digest_names_is_a_gap_also_where_later_digests_are_gone(tmp_path: Path) -> None:
    deliver(tmp_path)
    without(tmp_path, "20260311T014000Z")
    without(tmp_path, "20260311T024000Z")
    put(tmp_path, f"{FOLDER}_20260310T2350Z_added.json.gz", gzip.compress(log_text([event(7)])))
    found = faults(check(tmp_path, proving=to_prove(expected())))
    assert "for 23:40 to 24:00" in found[DIGESTS], "in a folder nothing signs for the last digest then"


@pytest.mark.usefixtures("s3")
def test_in_s3_a_log_file_that_is_added_after_the_last_hour_that_digests_can_cover_is_a_gap(tmp_path: Path) -> None:
    delivered = deliver(tmp_path)
    take(delivered, range(27, NEWEST + 1))
    added = put(tmp_path, f"{FOLDER}_20260310T2355Z_added.json.gz", gzip.compress(log_text([event(7)])))
    found = check(in_s3(delivered, "added-at-the-end"), proving=to_prove(expected()))
    assert faults(found) == {added: UNNAMED}


def test_log_files_in_a_folder_where_no_expected_digest_lies_are_a_gap(tmp_path: Path) -> None:
    """An organization's trail and an account's of the same name deliver into folders of their own."""
    deliver(tmp_path)
    beside = f"AWSLogs/o-a1b2c3d4e5/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/{base(FOLDER)}_20260310T0800Z_a.json.gz"
    put(tmp_path, beside, gzip.compress(log_text([event(7)])))
    assert faults(check(tmp_path)) == {beside: UNNAMED}


# ------------------------------------------------------------------------------------------------------------ the place
def proven_from(root: Path | str, origin: S3Place | None) -> Integrity:
    return check(root, proving=ToProve(PROVING.trails, origin))


@pytest.mark.parametrize(
    "origin", [S3Place("other-bucket", ""), S3Place(BUCKET, "copies/"), S3Place("Trail-bucket", "")]
)
def test_digests_of_another_bucket_or_prefix_prove_nothing_here(tmp_path: Path, origin: S3Place) -> None:
    delivered = deliver(tmp_path)
    found = proven_from(tmp_path, origin)
    fault = f"was delivered to s3://{BUCKET}/, and these logs to {origin}; if they were copied from there, say so by "
    assert faults(found)[delivered.digests[MIDDLE]] == f"{fault}--logs-copied-from"
    assert not any(file.is_proven for file in found.files)


def test_in_a_folder_digests_prove_nothing_until_somebody_says_where_the_logs_are_from(tmp_path: Path) -> None:
    deliver(tmp_path)
    found = proven_from(tmp_path, None)
    assert faults(found) == {DIGESTS: f"has digests of trail trail_one_us-east-1 that prove nothing: {NO_ORIGIN}"}
    assert not any(file.is_proven for file in found.files)
    assert "--logs-copied-from" in found.summary


@pytest.mark.usefixtures("s3")
def test_in_s3_the_place_is_that_of_the_logs_if_nothing_else_is_said(tmp_path: Path) -> None:
    logs = in_s3(deliver(tmp_path), "a-copy-of-the-logs")
    assert faults(proven_from(logs, None)), "they were copied from elsewhere"
    found = proven_from(logs, S3Place(BUCKET, ""))
    assert found.summary == "integrity proven: 48 of 48 log files by 25 signed digests"


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        (
            f"AWSLogs/444455556666/CloudTrail/{REGION}/2026/03/10/444455556666_CloudTrail_{REGION}_{{}}",
            "its account and",
        ),
        (
            f"AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/2026/03/10/{ACCOUNT}_CloudTrail_eu-west-1_{{}}",
            "its account and",
        ),
        (f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/{ACCOUNT}_CloudTrail_eu-west-1_{{}}", "its account and"),
        (f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/03/10/444455556666_CloudTrail_{REGION}_{{}}", "another account"),
        (f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/2026/3/10/{ACCOUNT}_CloudTrail_{REGION}_{{}}", "its account and"),
        (f"AWSLogs/{ACCOUNT}/cloudtrail/{REGION}/2026/03/10/{ACCOUNT}_cloudtrail_{REGION}_{{}}", "its account and"),
    ],
)
def test_a_digest_names_log_files_of_its_own_account_and_region_alone(tmp_path: Path, key: str, fault: str) -> None:
    named = named_file(key.format("20260310T1000Z_x.json.gz"), b"")
    delivered = deliver(tmp_path, only(MIDDLE, logFiles=[named]))
    assert fault in faults(check(tmp_path))[delivered.digests[MIDDLE]]


OTHER_KINDS = ("CloudTrail-NetworkActivity", "CloudTrail-Insight", "CloudTrail-Aggregated", "CloudTrail-YetUnknown")


def naming(*kinds: str) -> Callable[[int, Content], None]:
    """A digest names, beside its log files, an empty one of each kind."""

    def more(number: int, content: Content) -> None:
        if number == MIDDLE:
            content["logFiles"] += [named_file(file_of(kind), log_text([])) for kind in kinds]

    return more


def file_of(kind: str) -> str:
    return f"{folder_of(kind=kind)}/{ACCOUNT}_{kind}_{REGION}_20260310T1000Z_x.json.gz"


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_a_file_of_any_kind_that_a_digest_names_and_that_is_gone_breaks_the_proof(tmp_path: Path, kind: str) -> None:
    deliver(tmp_path, naming(kind))
    integrity = check(tmp_path)
    assert "is gone: digest" in faults(integrity)[file_of(kind)]
    assert integrity.summary.startswith("integrity broken: 1 fault,")


def test_files_of_every_kind_are_proven_by_the_digests_that_name_them(tmp_path: Path) -> None:
    deliver(tmp_path, naming(*OTHER_KINDS[:3]))
    before = check(tmp_path)
    for kind in OTHER_KINDS[:3]:
        put_log(tmp_path, file_of(kind).rpartition("/")[2], [], folder_of(kind=kind))
    after = check(tmp_path)
    assert not faults(after)
    assert {file.kind for file in after.files if file.is_proven} == {
        "log", "digest", "network-activity", "insight", "aggregated"
    }  # fmt: skip
    assert len(faults(before)) == 3
    put_log(tmp_path, file_of(OTHER_KINDS[0]).rpartition("/")[2], [event()], folder_of(kind=OTHER_KINDS[0]))
    assert "was changed after delivery" in faults(check(tmp_path))[file_of(OTHER_KINDS[0])]


@pytest.mark.parametrize(("kind", "is_due"), [(OTHER_KINDS[0], True), (OTHER_KINDS[1], False), (OTHER_KINDS[2], True)])
def test_a_file_that_no_digest_names_is_unproven_if_digests_name_its_kind(
    tmp_path: Path, kind: str, is_due: bool
) -> None:
    deliver(tmp_path)
    put_log(tmp_path, file_of(kind).rpartition("/")[2], [event()], folder_of(kind=kind))
    found = faults(check(tmp_path))
    assert found == ({file_of(kind): "is named by no digest"} if is_due else {})


# ------------------------------------------------------------------------------------------------- what the proof tells
def test_the_keys_that_were_used_are_told_and_where_they_are_from(tmp_path: Path) -> None:
    deliver(tmp_path)
    [(key, digests)] = check(tmp_path).keys
    assert (key.fingerprint, key.region, digests) == (FINGERPRINT, REGION, 25)
    assert len(key.sha256) == 64
    from_file = replace(KEYS[0], region="")
    assert check(tmp_path, [from_file]).summary.endswith("; by public keys from a file, not from ListPublicKeys")


def test_each_trail_that_has_digests_is_told_expected_or_not(tmp_path: Path) -> None:
    deliver(tmp_path)
    deliver(tmp_path, trail="two")
    one, two = check(tmp_path).trails
    assert (one.name, one.expected_since) == (f"trail_one_us-east-1 AWSLogs/{ACCOUNT} {REGION}", SINCE)
    assert (one.digests, one.signed, one.proving, one.is_trusted) == (24, 24, 24, True)
    assert (two.expected_since, two.signed, two.proving, two.is_trusted) == (None, 24, 0, True)


def test_the_trails_that_write_digests_now_are_those_to_expect(tmp_path: Path) -> None:
    deliver(tmp_path, newest=60)
    old = deliver(tmp_path, trail="old", newest=3)
    store = open_store(str(tmp_path))
    assert old.digests
    assert delivering_trails(store, trails(store)) == [expected(since=DAY - timedelta(days=1))]
