"""Attackers who may write to the evidence, and who know how its chain is made: in a folder and in S3."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from tests.evidence import sealed_days
from tests.evidence.sealed_days import HEADER, day, seal, sign

from pci_log_review.common.errors import UsageError
from pci_log_review.evidence.chain import (
    LATEST,
    MANIFEST,
    last_link,
    link,
    mend_latest,
    new_id,
    read_chain,
    read_latest,
    records,
    set_latest,
    to_json,
)
from pci_log_review.evidence.history import due_days, history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.sealed import read_day
from pci_log_review.evidence.sign_off import sign_off
from pci_log_review.evidence.store import EvidenceError, EvidenceStore
from pci_log_review.evidence.verify import verify

Content = dict[str, Any]
Change = Callable[[Content], None]
GAP = "444455556666 eu-west-1: no logs, though trail_scope expects them daily"
OTHER_HASH = "was changed after it was sealed: the chain names another hash"
UNEXPECTED = {"10.2.1.4": 2, "10.2.1.6": 0}


# Uploads take seconds: what the store has no part in is tried in a folder alone
IN_BOTH = pytest.mark.parametrize("where", ["folder", "s3"], indirect=True)


@pytest.fixture
def where(request: pytest.FixtureRequest) -> str:
    if getattr(request, "param", "folder") == "folder":
        return str(request.getfixturevalue("folder"))
    return f"s3://{request.getfixturevalue('bucket')}/pci/evidence"


@pytest.fixture
def runs(store: EvidenceStore) -> list[str]:
    """The manifests of four runs, of which the second is incomplete, and the third has findings and is signed."""
    folders = [seal(store, day(1)), seal(store, day(2), State.INCOMPLETE), seal(store, day(3), unexpected=UNEXPECTED)]
    sign(store, day(3), "10.2.1.4=incident: ticket 4711")
    return [f"{folder}/{MANIFEST}" for folder in [*folders, seal(store, day(4))]]


def faults(store: EvidenceStore, *expected: str) -> list[str]:
    return [str(fault) for fault in verify(store, None, None, day(4), expected).faults]


def due(store: EvidenceStore) -> list[int]:
    return [known.day for known in due_days(store, None, day(4), 31).days]


def hash_of(store: EvidenceStore, path: str) -> str:
    return hashlib.sha256(store.read(path)).hexdigest()


def change(store: EvidenceStore, path: str, how: Change) -> None:
    content = json.loads(store.read(path))
    how(content)
    store.write(path, to_json(content))


def relink(store: EvidenceStore, path: str, *, until: int | None = None, latest: bool = True) -> None:
    """Makes every record after this one, or so many of them, name the one before it as it is now."""
    known = records(store.keys())
    begin = next(number for number, record in enumerate(known) if record.path == path)
    for before, record in list(zip(known[begin:], known[begin + 1 :], strict=False))[:until]:

        def fit(content: Content, before: str = before.path) -> None:
            content["previous"] = {"path": before, "sha256": hash_of(store, before)}
            if "manifest" in content:
                content["manifest"]["sha256"] = hash_of(store, content["manifest"]["path"])

        change(store, record.path, fit)
    if latest:
        set_latest(store, link(known[-1].path, store.read(known[-1].path)))


def complete(content: Content) -> None:
    content["state"], content["gaps"] = "complete", []


def refused(store: EvidenceStore, run_date: date) -> str:
    """What is told where a day is to be shown, and that it can't be signed either."""
    [known] = history(store, run_date, run_date)
    with pytest.raises(EvidenceError) as shown:
        read_day(store, known)
    with pytest.raises(UsageError):
        sign_off(store, known, known.manifest.sha256 if known.manifest else "", "A. Person", [], "a reason")
    return str(shown.value).removeprefix("evidence: not as it was sealed: ")


@IN_BOTH
def test_one_record_changed_and_all_after_it_relinked_contradicts_its_files_and_the_hashes_kept_elsewhere(
    store: EvidenceStore, runs: list[str]
) -> None:
    kept = [hash_of(store, path) for path in runs]
    assert faults(store, *kept) == []
    change(store, runs[1], complete)
    relink(store, runs[1])
    contradiction = f"{runs[1]}: has another state, gaps than run.json"
    assert faults(store) == [contradiction]
    gone = "no record has this hash: what it was told of was rewritten or removed"
    assert set(faults(store, *kept)) == {contradiction, *(f"{sha256}: {gone}" for sha256 in kept[1:])}


def test_who_rewrites_the_files_too_is_shown_by_the_hashes_kept_elsewhere_alone(
    store: EvidenceStore, runs: list[str]
) -> None:
    kept = hash_of(store, runs[1])
    about = runs[1].replace(MANIFEST, "run.json")
    change(store, about, complete)

    def fit(content: Content) -> None:
        complete(content)
        data = store.read(about)
        content["files"]["run.json"] = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}

    change(store, runs[1], fit)
    relink(store, runs[1])
    assert faults(store) == []
    assert faults(store, kept) == [f"{kept}: no record has this hash: what it was told of was rewritten or removed"]


def test_numbers_of_findings_that_were_changed_contradict_the_table(store: EvidenceStore, runs: list[str]) -> None:
    change(store, runs[2], lambda content: content["unexpected_findings"].update({"10.2.1.4": 0}))
    relink(store, runs[2])
    [sign_off_path] = [record.path for record in records(store.keys()) if record.kind == "sign-off"]
    assert faults(store) == [
        f"{runs[2]}: has other numbers of findings than daily_review.csv",
        f"{sign_off_path}: has a decision on 10.2.1.4 that does not fit the run",
    ]


@pytest.mark.parametrize("until", [0, 1, None])
def test_a_chain_that_was_relinked_in_part_names_the_record_where_it_breaks_and_nothing_before_that_is_trusted(
    store: EvidenceStore, runs: list[str], until: int | None
) -> None:
    change(store, runs[1], complete)
    relink(store, runs[1], until=until, latest=False)
    broken = {0: runs[1], 1: runs[2], None: runs[3]}[until]
    assert f"{broken}: {OTHER_HASH}" in faults(store)
    assert due(store) == {0: [1, 2], 1: [1, 2, 3], None: [1, 2, 3, 4]}[until]
    assert refused(store, day(2)) == f"{broken} {OTHER_HASH}"


@IN_BOTH
def test_a_rewritten_manifest_with_a_junk_record_after_it_is_neither_shown_nor_signed(
    store: EvidenceStore, runs: list[str]
) -> None:
    last = json.loads(store.read(runs[3]))
    junk = f"{day(4)}/{new_id(records(store.keys()))}/{MANIFEST}"
    store.create(junk, to_json(last | {"previous": {"path": runs[3], "sha256": hash_of(store, runs[3])}}))
    change(store, runs[3], lambda content: content.update(integrity="integrity proven"))
    assert f"{runs[3]}: {OTHER_HASH}" in faults(store)
    assert "is damaged: it is of the run" in refused(store, day(4))
    assert due(store) == [1, 2, 3, 4]
    mend_latest(store)
    assert f"{runs[3]}: {OTHER_HASH}" in faults(store), "the next run hides nothing"


@pytest.mark.parametrize("number", [1, 3], ids=["in the chain", "at its end"])
def test_incomplete_edited_to_complete_leaves_the_day_due(store: EvidenceStore, runs: list[str], number: int) -> None:
    change(store, runs[number], lambda content: content.update(state="complete", gaps=[], notes=["edited"]))
    assert number + 1 in due(store)
    assert f"{runs[number]}: {OTHER_HASH}" in faults(store)


def test_a_record_that_names_none_before_it_cuts_off_what_was_before(store: EvidenceStore, runs: list[str]) -> None:
    change(store, runs[2], lambda content: content.update(previous=None))
    relink(store, runs[2])
    assert faults(store) == [f"{runs[1]}: is named by no later record: the chain begins anew after it"]
    assert due(store) == [1, 2]


def test_a_run_moved_to_another_day_is_not_a_review_of_that(store: EvidenceStore, runs: list[str]) -> None:
    moved = runs[3].replace(str(day(4)), str(day(5)))
    keys = store.keys()
    for key in keys:
        if key.startswith(runs[3].removesuffix(MANIFEST)):
            store.create(key.replace(str(day(4)), str(day(5))), store.read(key))
    set_latest(store, link(moved, store.read(moved)))
    told = [str(fault) for fault in verify(store, None, None, day(5)).faults]
    assert f"{moved}: is damaged: it is the manifest of 2026-03-04" in told
    assert due_days(store, None, day(5), 31).days[-1] == day(5)


def plant(store: EvidenceStore, run_date: date, content: Content, files: dict[str, bytes]) -> str:
    """Seals a run by hand, linked as it has to be; returns its manifest."""
    known = records(store.keys())
    run_id = new_id(known)
    folder = f"{run_date}/{run_id}"
    before = last_link(store, known)
    for name, data in files.items():
        store.create(f"{folder}/{name}", data)
    data = to_json(
        {
            "format": 2,
            "kind": "run",
            "run_date": str(run_date),
            "run_id": run_id,
            "sealed": f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T23:59:59+00:00",
            "since": str(day(1)),
            "state": "complete",
            "gaps": [],
            "integrity": "integrity proven",
            "not_proven": "",
            "notes": [],
            "findings": {},
            "unexpected_findings": {},
            "project": {"seeds/catalogue/reviewed_events.csv": "ab" * 32},
            "previous": {"path": before.path, "sha256": before.sha256} if before else None,
            "files": {
                name: {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
            },
        }
        | content
    )
    store.create(f"{folder}/{MANIFEST}", data)
    set_latest(store, link(f"{folder}/{MANIFEST}", data))
    return f"{folder}/{MANIFEST}"


RUN = {"run.json": b'{"run_date": "2026-03-02", "state": "complete", "gaps": []}'}
REVIEW = {"daily_review.csv": b"requirement,result,findings,unexpected_findings\n"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "files", "fault"),
    [
        ({}, {}, "it lacks baseline.json, catalogue/reviewed_events.csv.gz, changed_files.csv, daily_review.csv, "),
        ({"format": 1}, {}, "it lacks daily_review.csv, log_coverage.csv, log_files.csv, run.json"),
        ({"format": 1}, RUN | REVIEW, "it lacks log_coverage.csv, log_files.csv"),
        (
            {"format": 1},
            RUN | REVIEW | {"log_coverage.csv": b"", "log_files.csv": b""},
            "it lacks every file of findings",
        ),
        ({"findings": {"10.2.1.4": 0}, "unexpected_findings": {"10.2.1.4": 0}}, RUN, "it lacks baseline.json, "),
        ({"project": {}}, RUN, "it lacks the hash of seeds/catalogue/reviewed_events.csv"),
        ({"format": 3}, RUN, "it is of format 3, which this version does not know"),
        ({"kind": "sign-off"}, RUN, "it is of the sign-off "),
        ({"run_id": "20260303T000000Z-0000abcd"}, RUN, "it is of the run 20260303T000000Z-0000abcd"),
        ({"run_date": "2026-03-03"}, RUN, "it is the manifest of 2026-03-03"),
        ({"sealed": "2026-03-03T06:00:00+00:00"}, RUN, "it says that it was sealed at 2026-03-03T06:00:00+00:00"),
        ({"gaps": [GAP]}, RUN, "it is complete with 1 gaps"),
        ({"state": "incomplete"}, RUN, "it is incomplete with 0 gaps"),
        ({"unexpected_findings": {"10.2.1.4": 1}}, RUN, "its findings and its unexpected findings do not fit together"),
    ],
)
def test_a_planted_run_that_is_linked_as_it_has_to_be_counts_for_nothing(
    store: EvidenceStore, runs: list[str], content: Content, files: dict[str, bytes], fault: str
) -> None:
    assert len(runs) == 4
    planted = plant(store, day(2), content, files)
    [told] = faults(store)
    assert told.startswith(f"{planted}: is damaged: {fault}")
    assert due(store) == [2]
    assert refused(store, day(2)).startswith(f"{planted} is damaged: {fault}")


def plant_sign_off(store: EvidenceStore, run_date: date, content: Content) -> str:
    """Writes a sign-off by hand, linked as it has to be, without a decision; returns its key."""
    known = records(store.keys())
    record_id = new_id(known)
    before = last_link(store, known)
    [reviewed] = history(store, run_date, run_date)
    assert reviewed.manifest
    assert before
    data = to_json(
        {
            "format": 2,
            "kind": "sign-off",
            "run_date": str(run_date),
            "manifest": {"path": reviewed.manifest.record.path, "sha256": reviewed.manifest.sha256},
            "state": reviewed.state,
            "reviewer": "A. Person",
            "by": {"os_user": "a", "host": "b", "aws_caller": None},
            "signed": f"{record_id[:4]}-{record_id[4:6]}-{record_id[6:11]}:{record_id[11:13]}:{record_id[13:15]}+00:00",
            "reason": "The logs are lost",
            "decisions": [],
            "previous": {"path": before.path, "sha256": before.sha256},
        }
        | content
    )
    path = f"{run_date}/sign-off-{record_id}.json"
    store.create(path, data)
    set_latest(store, link(path, data))
    return path


def decision(**fields: Any) -> Content:
    return {"requirement": "10.2.1.4", "unexpected_findings": 2, "decision": "expected", "note": "known"} | fields


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ({"decisions": []}, "has no decision on 10.2.1.4"),
        ({"decisions": [decision(requirement="10.2.1.6", unexpected_findings=0)]}, "has no decision on 10.2.1.4"),
        ({"decisions": [decision(unexpected_findings=1)]}, "has a decision on 10.2.1.4 that does not fit the run"),
        ({"decisions": [decision(), decision()]}, "has a decision on 10.2.1.4 that does not fit the run"),
        ({"decisions": [decision(note=" ")]}, "has a decision on 10.2.1.4 that does not fit the run"),
        ({"decisions": [decision(decision="fine")]}, "cannot be read as a sign-off: 'fine' is not a valid Verdict"),
        ({"signed": "2026-03-03T06:00:00+00:00"}, "says that it was signed at 2026-03-03T06:00:00+00:00, which is not"),
        ({"signed": "2099-03-03T06:00:00+00:00"}, "says that it was signed at 2099-03-03T06:00:00+00:00, which is not"),
        ({"signed": None}, "cannot be read as a sign-off: "),
        ({"state": "complete"}, "is of a day that is complete, but the run is incomplete"),
        ({"reason": None}, "gives no reason, though the day is incomplete"),
        ({"reason": "\u200b"}, "gives no reason, though the day is incomplete"),
        ({"reviewer": "\u2800"}, "names no reviewer"),
        ({"by": {"os_user": "", "host": "b"}}, "does not say which os_user signed"),
        ({"by": None}, "cannot be read as a sign-off: "),
        ({"run_date": "2026-03-01"}, "is a sign-off of 2026-03-01"),
        ({"kind": "run"}, "is a run of 2026-03-05"),
        ({"format": 3}, "is of format 3, which this version does not know"),
        ({"manifest": {"path": "x", "sha256": "y"}}, "signs x, which is not a run of its day before it"),
        ({"previous": None}, None),
    ],
)
def test_a_sign_off_made_by_hand_is_named_and_leaves_the_day_due(
    store: EvidenceStore, content: Content, fault: str | None
) -> None:
    run = seal(store, day(5), State.INCOMPLETE, UNEXPECTED)
    path = plant_sign_off(store, day(5), {"decisions": [decision()]} | content)
    told = [str(fault) for fault in verify(store, None, None, day(5)).faults]
    if fault is None:
        assert told == [f"{run}/{MANIFEST}: is named by no later record: the chain begins anew after it"]
    else:
        assert told[0].startswith(f"{path}: {fault}"), told
        assert len(told) == 1
    assert due_days(store, None, day(5), 31).days == [day(5)]


@IN_BOTH
def test_a_sign_off_as_the_command_writes_it_makes_the_day_not_due(store: EvidenceStore) -> None:
    seal(store, day(5), State.INCOMPLETE, UNEXPECTED)
    plant_sign_off(store, day(5), {"decisions": [decision()]})
    assert verify(store, None, None, day(5)).faults == []
    assert due_days(store, None, day(5), 31).days == []


def test_a_sign_off_that_the_end_of_the_chain_does_not_name_leaves_the_day_due(store: EvidenceStore) -> None:
    """Whoever may add files, and not change any, can add a sign-off that fits the run."""
    run = f"{seal(store, day(5), State.INCOMPLETE, UNEXPECTED)}/{MANIFEST}"
    latest = store.read(LATEST)
    path = plant_sign_off(store, day(5), {"decisions": [decision()], "previous": {"path": run, "sha256": "ab" * 32}})
    store.write(LATEST, latest)
    assert [str(fault) for fault in verify(store, None, None, day(5)).faults] == [
        f"{run}: {OTHER_HASH}",
        f"{path}: does not stand in the chain where its time puts it",
    ]
    assert due_days(store, None, day(5), 31).days == [day(5)]
    assert not history(store, day(5), day(5))[0].is_signed


def test_a_sign_off_of_a_review_after_which_the_day_was_run_again_before_it_is_a_fault(store: EvidenceStore) -> None:
    first = f"{seal(store, day(5))}/{MANIFEST}"
    seal(store, day(5), State.INCOMPLETE)
    signs = {"path": first, "sha256": hash_of(store, first)}
    path = plant_sign_off(store, day(5), {"manifest": signs, "state": "complete"})
    [told] = verify(store, None, None, day(5)).faults
    assert str(told) == f"{path}: signs {first}, after which the day was run again before it"


def test_records_made_while_the_clock_was_ahead_and_after_it_was_put_right_are_no_faults(
    store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = f"{datetime.now(UTC) + timedelta(hours=20):%Y%m%dT%H%M%SZ}-0000abcd"
    with monkeypatch.context() as patch:
        patch.setattr(sealed_days, "new_id", lambda _: ahead)
        seal(store, day(1))
    seal(store, day(2), State.INCOMPLETE)
    sign(store, day(2), reason="The logs are lost")
    assert verify(store, None, None, day(2)).faults == []
    assert due_days(store, None, day(2), 31).days == []


@IN_BOTH
def test_an_older_day_reviewed_again_after_a_newer_one_is_no_fault(store: EvidenceStore, runs: list[str]) -> None:
    seal(store, day(2))
    assert faults(store, *(hash_of(store, path) for path in runs)) == []
    assert due(store) == []


@pytest.mark.parametrize("how", ["removed", "emptied", "of the first record"])
def test_without_the_end_of_the_chain_nothing_is_trusted_and_nothing_forgotten(
    store: EvidenceStore, runs: list[str], how: str, tmp_path: Any
) -> None:
    if how == "removed":
        (tmp_path / "evidence" / LATEST).unlink()
    elif how == "emptied":
        store.write(LATEST, b"")
    else:
        set_latest(store, link(runs[0], store.read(runs[0])))
    assert due(store)[-3:] == [2, 3, 4]
    assert due_days(store, None, day(4), 31).since == day(1)
    assert faults(store)
    assert read_chain(store).faults


def test_a_removed_review_does_not_bring_back_the_one_before_it(store: EvidenceStore, tmp_path: Any) -> None:
    seal(store, day(1))
    gone = seal(store, day(1), State.INCOMPLETE)
    for path in sorted((tmp_path / "evidence" / gone).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    (tmp_path / "evidence" / gone).rmdir()
    assert due(store)[0] == 1
    assert refused(store, day(1)) == f"{gone}/{MANIFEST} was removed: the chain names it"
    named = read_latest(store.read(LATEST))
    assert named
    assert named.path == f"{gone}/{MANIFEST}"


def test_findings_that_were_swapped_are_not_shown(store: EvidenceStore, runs: list[str]) -> None:
    store.write(runs[2].replace(MANIFEST, "findings/10.2.1.4.csv"), HEADER.encode())
    assert refused(store, day(3)).endswith("findings/10.2.1.4.csv was changed after it was sealed")
