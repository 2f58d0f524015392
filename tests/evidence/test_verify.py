"""Whatever is changed, removed or added in sealed evidence is found, and named."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest
from tests.evidence.sealed_days import day, seal, sign

from pci_log_review.common.errors import UsageError
from pci_log_review.evidence.chain import LATEST, MANIFEST, last_link, mend_latest, records
from pci_log_review.evidence.history import history
from pci_log_review.evidence.manifest import State
from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.sealed import read_day
from pci_log_review.evidence.sign_off import sign_off
from pci_log_review.evidence.store import EvidenceError, EvidenceStore, sha256_of
from pci_log_review.evidence.verify import Verified, verify

LAST = day(5)


def build(store: EvidenceStore) -> list[str]:
    """Five days, one of them reviewed twice and signed in between; the folders of the runs in their order."""
    folders = [seal(store, day(1)), seal(store, day(2), State.INCOMPLETE), seal(store, day(3), State.FAILED)]
    unexpected = {"10.2.1.4": 2, "10.2.1.6": 0}
    folders.append(seal(store, day(3), unexpected=unexpected))
    sign(store, day(3), "10.2.1.4=incident: ticket 4711")
    return [*folders, seal(store, day(4)), seal(store, day(5))]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("whole") / "evidence"
    build(open_evidence(str(root)))
    return root


@pytest.fixture
def root(whole: Path, tmp_path: Path) -> Path:
    """A copy of whole evidence, to be tampered with."""
    return shutil.copytree(whole, tmp_path / "evidence")


def verified(root: Path) -> Verified:
    return verify(open_evidence(str(root)), None, None, LAST)


def faults(root: Path) -> list[str]:
    return [f"{fault.where}: {fault.text}" for fault in verified(root).faults]


def runs(root: Path) -> list[str]:
    return [record.folder for record in records(open_evidence(str(root)).keys()) if record.kind == "run"]


def test_whole_evidence_has_no_fault(store: EvidenceStore) -> None:
    build(store)
    assert verify(store, None, None, LAST) == Verified(runs=6, sign_offs=1, files=78, faults=[], notes=[])


FILES = ("flip", "delete", "append", "truncate", "empty", "rename", "add", "swap", "delete folder", "copy run")


def tamper(root: Path, chance: random.Random, how: str) -> str:
    """Does one thing to the evidence that nobody may do; returns what was done."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    file = chance.choice([path for path in files if path.stat().st_size])
    data = bytearray(file.read_bytes())
    match how:
        case "flip":
            at = chance.randrange(len(data))
            data[at] ^= 1 << chance.randrange(8)
            file.write_bytes(data)
        case "delete":
            file.unlink()
        case "append":
            file.write_bytes(bytes(data) + chance.choice([b"\n", b" ", b"x"]))
        case "truncate":
            file.write_bytes(data[: chance.randrange(len(data))])
        case "empty":
            file.write_bytes(b"")
        case "rename":
            file.rename(file.with_name(f"{file.name}.old"))
        case "add":
            (file.parent / chance.choice(["note.txt", "extra.csv", "manifest.json.bak"])).write_text("more")
        case "swap":
            other = chance.choice([path for path in files if path.read_bytes() != bytes(data)])
            file.write_bytes(other.read_bytes())
        case "delete folder":
            folder = chance.choice([path for path in root.rglob("*") if path.is_dir() and any(path.rglob("*.*"))])
            shutil.rmtree(folder)
            return f"{how} {folder.relative_to(root)}"
        case "copy run":
            folder = root / chance.choice(runs(root))
            shutil.copytree(folder, folder.parent / f"20990101T000000Z-{chance.getrandbits(32):08x}")
            return f"{how} {folder.relative_to(root)}"
    return f"{how} {file.relative_to(root)}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100))
def test_each_of_a_hundred_random_manipulations_is_found(root: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # the same manipulations every time
    done = tamper(root, chance, "flip" if seed % 2 else FILES[seed // 2 % len(FILES)])
    assert faults(root), done


@pytest.mark.slow
def test_every_single_byte_of_the_records_counts(root: Path) -> None:
    chance = random.Random(7)  # noqa: S311
    paths = [root / LATEST, *(root / record.path for record in records(open_evidence(str(root)).keys()))]
    for path in paths:
        whole = path.read_bytes()
        for at in chance.sample(range(len(whole)), 25):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert faults(root), f"byte {at} of {path.name}"
        path.write_bytes(whole)
    assert not faults(root)


def test_a_changed_file_is_named(root: Path) -> None:
    name = f"{runs(root)[0]}/daily_review.csv"
    (root / name).write_text((root / name).read_text().replace("no findings", "NO findings"))
    assert faults(root) == [f"{name}: was changed after it was sealed"]


def test_a_removed_file_is_named(root: Path) -> None:
    name = f"{runs(root)[1]}/findings/10.2.1.4.csv"
    (root / name).unlink()
    assert faults(root) == [f"{name}: was removed"]


def test_an_added_file_is_named(root: Path) -> None:
    name = f"{runs(root)[1]}/findings/10.2.1.5.csv"
    (root / name).write_text("")
    (root / "readme.txt").write_text("")
    assert faults(root) == [f"{name}: is not in the manifest", "readme.txt: belongs to no sealed run"]


@pytest.mark.parametrize("number", [1, 2, 4, 5])
def test_a_removed_day_is_named_wherever_it_stood(root: Path, number: int) -> None:
    [folder] = [run for run in runs(root) if run.startswith(str(day(number)))]
    shutil.rmtree(root / str(day(number)))
    told = faults(root)
    assert f"{folder}/{MANIFEST}: was removed: the chain names it" in told
    assert number in (1, 5) or f"{day(number)}: no sealed review of the day" in told


def test_a_removed_run_of_a_day_that_was_reviewed_again_is_named(root: Path) -> None:
    first, second = (run for run in runs(root) if run.startswith(str(day(3))))
    shutil.rmtree(root / first)
    assert f"{first}/{MANIFEST}: was removed: the chain names it" in faults(root)
    assert (root / second).is_dir()


def test_a_removed_sign_off_is_named(root: Path) -> None:
    [path] = (root / str(day(3))).glob("sign-off-*.json")
    path.unlink()
    assert faults(root) == [f"{path.relative_to(root)}: was removed: the chain names it"]


def test_a_removed_last_run_stays_named_when_days_are_reviewed_after_it(root: Path) -> None:
    last = runs(root)[-1]
    shutil.rmtree(root / last)
    store = open_evidence(str(root))
    seal(store, day(5))
    seal(store, day(6))
    assert f"{last}/{MANIFEST}: was removed: the chain names it" in faults(root)


def test_a_manifest_that_was_rewritten_to_fit_its_changed_files_is_found(root: Path) -> None:
    """Who changes a file can change its manifest as well, and the record after that one, and so on to latest.json."""
    folder = root / runs(root)[4]
    manifest = folder / MANIFEST
    content = manifest.read_text().replace('"integrity": "', '"integrity": "un')
    assert content != manifest.read_text()
    manifest.write_text(content)
    assert faults(root) == [
        f"{runs(root)[4]}/{MANIFEST}: was changed after it was sealed: the chain names another hash"
    ]


def test_a_run_that_was_interrupted_before_the_pointer_is_no_fault_and_the_next_links_to_it(tmp_path: Path) -> None:
    store = open_evidence(str(tmp_path))
    seal(store, day(1))
    seal(store, day(2), latest=False)
    assert verify(store, None, None, day(2)).faults == []
    seal(store, day(3))
    assert verify(store, None, None, day(3)).faults == []


def test_what_an_interrupted_run_left_is_no_evidence_and_no_fault(root: Path) -> None:
    left = root / str(day(6)) / ".20260307T060000Z-0000abcd.unfinished"
    left.mkdir(parents=True)
    (left / "daily_review.csv").write_text("half")
    found = verified(root)
    assert (found.faults, len(found.notes)) == ([], 1)
    assert all("it is not evidence" in note for note in found.notes)
    assert [known.state for known in history(open_evidence(str(root)), day(6), day(6))] == ["missing"]


def test_a_day_that_was_never_reviewed_is_named(root: Path) -> None:
    found = verify(open_evidence(str(root)), None, None, day(7))
    assert [fault.where for fault in found.faults] == ["2026-03-06 to 2026-03-07"]
    found = verify(open_evidence(str(root)), None, None, day(6))
    assert [fault.where for fault in found.faults] == ["2026-03-06"]


def test_a_place_without_evidence_is_not_verified(tmp_path: Path) -> None:
    assert verify(open_evidence(str(tmp_path)), None, None, day(7)).faults


def test_only_the_days_asked_for_are_read(root: Path) -> None:
    (root / f"{runs(root)[0]}/run.json").write_text("changed")
    store = open_evidence(str(root))
    assert verify(store, day(2), day(5), LAST).faults == []
    assert [fault.where for fault in verify(store, day(1), day(1), LAST).faults] == [f"{runs(root)[0]}/run.json"]


def test_the_next_record_links_to_the_last(root: Path) -> None:
    store = open_evidence(str(root))
    known = records(store.keys())
    last = last_link(store, known)
    assert last is not None
    assert last.path == known[-1].path == f"{runs(root)[-1]}/{MANIFEST}"


@pytest.mark.parametrize("name", [".evil.csv", ".evil/a.csv", "2026-02-31/20260301T000000Z-0000abcd/manifest.json"])
def test_a_hidden_or_oddly_named_file_is_named(root: Path, name: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text("{}")
    assert faults(root) == [f"{name}: belongs to no sealed run"]


@pytest.mark.parametrize("name", [".x.unfinished", "findings/.x.unfinished"])
def test_a_file_hidden_in_a_sealed_run_is_a_fault_and_not_what_an_interrupted_run_left(root: Path, name: str) -> None:
    hidden = f"{runs(root)[1]}/{name}"
    (root / hidden).write_text("added")
    assert faults(root) == [f"{hidden}: is not in the manifest"]


def test_a_folder_that_was_never_sealed_is_a_fault_where_none_can_be_left(root: Path) -> None:
    unsealed = root / str(day(5)) / "20260307T060000Z-0000abcd"
    unsealed.mkdir()
    (unsealed / "daily_review.csv").write_text("half")
    assert faults(root) == [f"2026-03-05/{unsealed.name}/daily_review.csv: belongs to no sealed run"]


@pytest.mark.parametrize("first_only", [True, False])
def test_removing_the_last_record_and_latest_stays_visible_after_further_runs(tmp_path: Path, first_only: bool) -> None:
    store = open_evidence(str(tmp_path))
    folders = [seal(store, day(1))] + ([] if first_only else [seal(store, day(2))])
    removed = sign(store, day(1))
    (tmp_path / removed).unlink()
    (tmp_path / LATEST).unlink()
    assert [fault.where for fault in verify(store, None, None, day(len(folders))).faults] == [LATEST]
    seal(store, day(len(folders) + 1))
    assert [fault.where for fault in verify(store, None, None, day(len(folders) + 1)).faults] == [LATEST]


GARBAGE = {
    "no text": b"\xff\xfe",
    "no object": b"[]",
    "deep": b"[" * 200_000,
    "surrogate": b'{"path": "\\ud800", "sha256": "x", "run_date": "\\ud800"}',
    "infinite": b'{"run_date": "2026-03-05", "state": "complete", "gaps": [], "integrity": "", "previous": 7,'
    b' "findings": {"a": Infinity}, "unexpected_findings": {}, "files": {"x": {"size": Infinity, "sha256": ""}}}',
    "types": b'{"files": [], "previous": {"path": 1}, "manifest": [], "path": {}, "sha256": null}',
    "empty": b"",
}


@pytest.mark.slow
@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("which", ["latest", "manifest", "sign-off", "last manifest"])
def test_garbage_is_named_stops_nothing_and_stays_visible(root: Path, garbage: str, which: str) -> None:
    store = open_evidence(str(root))
    paths = {
        "latest": LATEST,
        "manifest": f"{runs(root)[3]}/{MANIFEST}",
        "sign-off": next(record.path for record in records(store.keys()) if record.kind == "sign-off"),
        "last manifest": f"{runs(root)[-1]}/{MANIFEST}",
    }
    store.write(paths[which], GARBAGE[garbage])
    assert faults(root)
    assert len(history(store, day(1), LAST)) == 5
    mend_latest(store)
    seal(store, day(6))
    assert faults(root), "sealing another day hides nothing"


@pytest.mark.parametrize("record_id", ["99991231T235959Z-00000000", "20269999T999999Z-00000000"])
def test_a_record_of_no_time_or_of_one_to_come_is_none_and_stops_nothing(root: Path, record_id: str) -> None:
    planted = root / str(day(4)) / record_id
    planted.mkdir()
    (planted / MANIFEST).write_text("{}")
    assert f"2026-03-04/{record_id}/{MANIFEST}: belongs to no sealed run" in faults(root)
    seal(open_evidence(str(root)), day(6))


def test_a_sign_off_of_another_days_run_is_a_fault(root: Path) -> None:
    store = open_evidence(str(root))
    [path] = (root / str(day(3))).glob("sign-off-*.json")
    content = json.loads(path.read_text())
    content["manifest"]["path"] = f"{runs(root)[0]}/{MANIFEST}"
    store.write(str(path.relative_to(root)), json.dumps(content).encode())
    assert any("which is not a run of its day" in fault for fault in faults(root))


def test_altered_evidence_is_not_shown(root: Path) -> None:
    store = open_evidence(str(root))
    [known] = history(store, day(4), day(4))
    review, findings = read_day(store, known)
    assert review
    assert findings
    store.write(f"{runs(root)[4]}/findings/10.2.1.4.csv", b"")
    with pytest.raises(EvidenceError, match="not as it was sealed"):
        read_day(store, known)


@pytest.mark.parametrize("number", [4, 5], ids=["in the chain", "at its end"])
def test_a_review_whose_manifest_was_rewritten_is_neither_shown_nor_signed(root: Path, number: int) -> None:
    store = open_evidence(str(root))
    [known] = history(store, day(number), day(number))
    assert known.manifest
    path = known.manifest.record.path
    store.write(path, store.read(path).replace(b"integrity not proven: no digest files", b"integrity proven"))
    [rewritten] = history(store, day(number), day(number))
    with pytest.raises(EvidenceError, match=r"manifest\.json was changed after it was sealed: the chain names another"):
        read_day(store, rewritten)
    with pytest.raises(UsageError, match=r"manifest\.json was changed after it was sealed: the chain names another"):
        sign_off(store, rewritten, known.manifest.sha256, "A. Person", [], "a reason")


def test_a_file_of_another_size_is_changed_and_not_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = f"{runs(root)[0]}/daily_review.csv"
    with (root / changed).open("r+b") as file:
        file.truncate(50 << 30)  # takes no room on the disk
    monkeypatch.setattr("pci_log_review.evidence.folder.sha256_of", lambda *_: pytest.fail("it was read"))
    assert open_evidence(str(root)).sha256(changed, 100) is None
    monkeypatch.undo()
    assert faults(root) == [f"{changed}: was changed after it was sealed"]


@pytest.mark.slow
def test_a_record_of_gigabytes_is_not_read_into_the_memory(root: Path) -> None:
    manifest = f"{runs(root)[0]}/{MANIFEST}"
    with (root / manifest).open("r+b") as file:
        file.truncate(50 << 30)
    assert any(f"cannot read {root}/{manifest}: it has more than" in fault for fault in faults(root))


@pytest.mark.parametrize("chunks", [[b"abc", b"de"], [b"abcd"], [b""], [b"abcde", b"f"]])
def test_a_file_that_changes_its_size_while_it_is_read_has_no_hash(chunks: list[bytes]) -> None:
    class File:
        def read(self, size: int, /) -> bytes:
            piece = (chunks or [b""])[0][:size]
            chunks[:1] = []
            return piece

    whole = b"".join(chunks)
    assert (sha256_of(File(), 5) is None) == (len(whole) != 5)
