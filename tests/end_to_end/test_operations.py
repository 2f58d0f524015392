"""Every day by itself: what is due, what interrupts it, what a person does with it."""

from __future__ import annotations

import base64
import csv
import gzip
import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended, settings_without_digests
from tests.end_to_end.interrupted import killing
from tests.evidence.test_notify import Webhook
from tests.reader.native_logs import ACCOUNT, DAY, REGION
from tests.reader.test_digests import BUCKET, KEYS, MIDDLE, Delivered, deliver

from pci_log_review.evidence.open import open_evidence
from pci_log_review.evidence.store import EvidenceStore, Locked

TODAY = "2026-03-12"
MACHINE = ("--log-format", "json", "--log-level", "debug")
DAYS = ("2026-03-09", "2026-03-10", "2026-03-11")
# One run is interrupted at each of these, in this order; a day whose run was sealed before is not run again.
STEPS = (
    "review_day:before",
    "take_inventory:after",
    "write_inventory:after",
    "dbt:3",
    "dbt:14",
    "build:after",
    "write_evidence:after",
    "publish:after",
    "set_latest:before",
    "notify:before",
)
# What differs between two runs that found the same: times and ids, and when the reviews before it had what
TIMES = ("run.json", "manifest.json", "baseline.json", "report.html", "assessor.html", "catalog.html")


def operate(checkout: Checkout, step: str, *arguments: str, **environment: str) -> Ended:
    return checkout.ended(killing(step, TODAY, *arguments), NO_TESTS | environment)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample logs, with a corrupt file on the first day; on the last one, a region has no logs anyway."""
    copy = shutil.copytree(ROOT / "sample_logs", tmp_path_factory.mktemp("logs") / "logs")
    corrupt(copy, DAYS[0])
    return copy


def corrupt(logs: Path, run_date: str) -> Path:
    path = sorted(logs.glob(f"AWSLogs/*/CloudTrail/us-east-1/{run_date.replace('-', '/')}/*.json.gz"))[0]
    path.write_bytes(path.read_bytes()[:-20])
    return path


@pytest.fixture(scope="module")
def undisturbed(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = Checkout.of(tmp_path_factory.mktemp("undisturbed"))
    ended = operate(checkout, "never", "run", "--logs", str(logs), "--since", DAYS[0])
    assert ended.code == 3, ended.last_lines
    return checkout


def evidence(checkout: Checkout) -> dict[str, dict[str, Any]]:
    """The last sealed evidence of each day: its files, and what its manifest says of the day."""
    found: dict[str, dict[str, Any]] = {}
    for run_date in DAYS:
        folder = max(path.parent for path in (checkout.evidence / run_date).glob("*/manifest.json"))
        files = {
            str(path.relative_to(folder)): (
                parquet.read_table(path).to_pylist()
                if path.suffix == ".parquet"
                else path.read_bytes().replace(str(checkout.home).encode(), b"HOME")
            )
            for path in folder.rglob("*.*")
            if path.name not in TIMES
        }
        manifest = json.loads((folder / "manifest.json").read_text())
        says = {name: manifest[name] for name in ("state", "gaps", "integrity", "findings", "unexpected_findings")}
        found[run_date] = files | {"says": says}
    return found


def tables(checkout: Checkout) -> dict[str, list[tuple[Any, ...]]]:
    names = [name for (name,) in checkout.rows("select table_name from duckdb_tables() order by 1")]
    return {name: sorted(checkout.rows(f"select * from {name}"), key=str) for name in names}


def verified(checkout: Checkout) -> Ended:
    return operate(checkout, "never", "verify")


def seen(checkout: Checkout, run_date: str) -> str:
    """The hash that `show` prints."""
    found = re.search(r"\(manifest ([0-9a-f]{64})\)", operate(checkout, "never", "show", run_date).text)
    assert found
    return found[1]


def test_every_day_that_is_due_is_reviewed_the_oldest_first(undisturbed: Checkout, logs: Path) -> None:
    status = operate(undisturbed, "never", "status")
    lines = [line for line in status.text.splitlines() if "2026-03-" in line]
    assert [line.split("│")[1:3] for line in lines] == [
        [" 2026-03-09 ", " incomplete "],
        [" 2026-03-10 ", " complete   "],
        [" 2026-03-11 ", " incomplete "],
    ]
    manifests = sorted(undisturbed.evidence.glob("*/*/manifest.json"), key=lambda path: path.parent.name)
    assert [path.parts[-3] for path in manifests] == list(DAYS)
    gaps = {run_date: found["says"]["gaps"] for run_date, found in evidence(undisturbed).items()}
    assert len(gaps[DAYS[0]]) == 2, gaps[DAYS[0]]
    assert "1 of 4 log files could not be reviewed whole" in gaps[DAYS[0]][0]
    [missing, silent] = gaps[DAYS[2]]
    assert missing.startswith("444455556666 eu-west-1: no logs, though trail_scope expects them daily; digests prove")
    assert (
        "444455556666/CloudTrail-Digest/eu-west-1/2026/03/11 has no signed digest of trail example-pay-trail" in silent
    )
    assert "for 00:36 to 24:00" in silent
    assert verified(undisturbed).code == 0
    assert logs.is_dir()


def test_one_corrupt_file_is_named_and_hides_no_other(undisturbed: Checkout, logs: Path) -> None:
    readable: dict[str, list[str]] = {}
    for path in logs.glob(f"AWSLogs/*/CloudTrail/*/{DAYS[0].replace('-', '/')}/*.json.gz"):
        try:
            records = json.loads(gzip.decompress(path.read_bytes()))["Records"]
        except EOFError:
            [gap] = [gap for gap in evidence(undisturbed)[DAYS[0]]["says"]["gaps"] if path.name in gap]
            assert "gzip is cut off before its end" in gap
        else:
            readable[path.relative_to(logs).as_posix()] = sorted(record.get("eventID") or "" for record in records)
    assert len(readable) == 8
    read: dict[str, list[str]] = {}
    lake = undisturbed.state / "lake" / "logs" / f"run_date={DAYS[0]}" / "logs.parquet"
    for log_file, event_id in undisturbed.rows(f"select log_file, coalesce(eventid, '') from '{lake}' order by all"):
        read.setdefault(log_file, []).append(event_id)
    assert read == readable


def test_what_is_complete_is_not_due_again_and_what_is_incomplete_is(
    undisturbed: Checkout, logs: Path, tmp_path: Path
) -> None:
    checkout = Checkout.of(tmp_path)
    shutil.copytree(undisturbed.evidence, checkout.evidence)
    ended = operate(checkout, "never", "run", "--logs", str(logs), "--max-days", "1")
    assert "Reviewing the logs delivered on 2026-03-09" in ended.text
    assert "1 more days are due" in ended.text
    assert ended.code == 3


def test_nothing_is_due_when_all_is_complete_or_signed(undisturbed: Checkout, logs: Path, tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    shutil.copytree(undisturbed.evidence, checkout.evidence)
    for run_date in (DAYS[0], DAYS[2]):
        signed = operate(
            checkout, "never", "sign-off", run_date, "--manifest", seen(checkout, run_date), "--reviewer", "A. Person",
            "--decision", "all=expected: nothing new", "--reason", "The logs are lost",
        )  # fmt: skip
        assert signed.code == 0, signed.text
    ended = operate(checkout, "never", "run", "--logs", str(logs))
    assert ended.code == 0, ended.last_lines
    assert "Nothing is due" in ended.text
    status = operate(checkout, "never", "status")
    assert status.text.count("A. Person") == 2
    assert verified(checkout).code == 0
    told = operate(checkout, "never", "run", "--logs", str(logs), "--notify-webhook", "http://127.0.0.1:9/hook")
    assert told.code == 1, "a message that nobody takes makes the run fail"
    assert "notification: the webhook did not take it: NewConnectionError" in told.last_lines
    assert operate(checkout, "never", "status").text == status.text, "and the days stay as they are"


def second_run_while(first: subprocess.Popen[str], checkout: Checkout, *arguments: str) -> Ended:
    """A second run, begun when the first holds the lock."""
    holder = f'"pid":{first.pid},'
    while first.poll() is None and holder not in (checkout.evidence / ".lock").read_text():
        time.sleep(0.05)
    return operate(checkout, "never", *arguments)


def test_a_run_that_is_killed_at_any_step_leaves_no_false_evidence_and_the_next_makes_it_right(
    undisturbed: Checkout, logs: Path, tmp_path: Path
) -> None:
    checkout = Checkout.of(tmp_path)
    arguments = ("run", "--logs", str(logs), "--since", DAYS[0])
    for step in STEPS:
        killed = operate(checkout, step, *arguments, "--max-days", "1")
        assert killed.code == -signal.SIGKILL, f"{step}: {killed.last_lines}"
        assert not still_runs(checkout.home), f"{step}: dbt outlived the wrapper"
        sealed = set(checkout.evidence.glob("*/*/manifest.json"))
        for manifest in sealed:
            state = json.loads(manifest.read_text())["state"]
            assert (state == "complete") == (manifest.parts[-3] == DAYS[1]), "nothing incomplete is called complete"
        if sealed:
            told = verified(checkout).text
            assert "changed" not in told, f"{step}: {told}"
            assert "removed" not in told, f"{step}: {told}"
    first = checkout.begun(killing("never", TODAY, *arguments), NO_TESTS)
    second = second_run_while(first, checkout, *arguments)
    assert second.code == 1
    [line] = [line for line in second.text.splitlines() if line.startswith("pci-log-review: ")]
    assert "another run holds the lock" in line
    assert f"process {first.pid} on" in line
    first.communicate(timeout=600)
    assert first.returncode == 3
    assert verified(checkout).code == 0
    assert evidence(checkout) == evidence(undisturbed)
    assert tables(checkout) == tables(undisturbed)
    assert not list(checkout.evidence.glob("*/.*"))


def test_a_run_that_is_asked_to_end_stops_dbt_and_gives_the_lock_back(logs: Path, tmp_path: Path) -> None:
    checkout, webhook = Checkout.of(tmp_path), Webhook()
    arguments = ("run", "--logs", str(logs), "--from", DAYS[1], "--to", DAYS[2], *MACHINE)
    told = ("--notify-webhook", webhook.url)
    running = checkout.begun(killing("never", TODAY, *arguments, *told), NO_TESTS)
    assert running.stdout is not None
    lines = iter(running.stdout)
    reviewed = json.loads(next(line for line in lines if '"reviewed"' in line))
    next(line for line in lines if '"progress"' in line)
    running.terminate()
    assert running.wait(30) == 128 + signal.SIGTERM
    assert not list((checkout.evidence / DAYS[2]).iterdir())
    assert not runs(tmp_path)
    [message] = webhook.posted
    assert "the run was broken off: it was told to end" in message["text"]
    assert reviewed["manifest_sha256"] in message["text"], "what was sealed before is told all the same"
    again = operate(checkout, "never", "run", "--logs", str(logs), "--run-date", DAYS[2], *MACHINE)
    assert again.code == 3
    assert_one_json_object_a_line(again.text)


def assert_one_json_object_a_line(text: str) -> None:
    """What a run of the last day told machines."""
    events = [json.loads(line) for line in text.splitlines()]
    assert events[0]["event"] == "started"
    assert {(event["event"], event["level"]) for event in events[1:-2]} == {("progress", "debug")}
    assert [(event["event"], event["exit"]) for event in events[-2:]] == [("reviewed", 3), ("ended", 3)]
    assert len(events[-2]["requirements"]) == 10
    assert any("444455556666 eu-west-1" in gap for gap in events[-2]["gaps"])


def runs(home: Path) -> bool:
    """Whether a dbt of this checkout runs."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return any("dbt_child" in line and str(home) in line for line in listed.splitlines())


def still_runs(home: Path) -> bool:
    """Whether a dbt of this checkout goes on though its wrapper is dead; it has 15 seconds to notice."""
    deadline = time.monotonic() + 15
    while runs(home) and time.monotonic() < deadline:
        time.sleep(0.2)
    return runs(home)


@dataclass(frozen=True)
class Proven:
    """A day with digests that CloudTrail might have signed, its settings, and the public key in a file."""

    delivered: Delivered
    arguments: tuple[str, ...]


@pytest.fixture
def proven(tmp_path: Path) -> Proven:
    home = tmp_path / "with-digests"
    delivered = deliver(home / "logs")
    key = KEYS[0]
    listed = {
        "Value": base64.b64encode(key.der).decode(),
        "Fingerprint": key.fingerprint,
        "ValidityStartTime": key.valid_from.isoformat(),
        "ValidityEndTime": key.valid_until.isoformat(),
    }
    (home / "keys.json").write_text(json.dumps({"PublicKeyList": [listed]}))
    settings = shutil.copytree(ROOT / "seeds" / "settings", home / "settings")
    scope = f"account_id,account_name,region,in_cde,logs_expected\n{ACCOUNT},test,{REGION},true,daily\n"
    (settings / "trail_scope.csv").write_text(scope)
    header = "trail,home_region,account_id,region,since,reason,approved_by"
    (settings / "digest_trails.csv").write_text(f"{header}\ntrail_one,us-east-1,{ACCOUNT},{REGION},2026-03-01,,\n")
    logs = ("--logs", str(home / "logs"), "--logs-copied-from", f"s3://{BUCKET}")
    arguments = (*logs, "--settings", str(settings), "--public-keys", str(home / "keys.json"))
    return Proven(delivered, ("run", "--run-date", str(DAY), *arguments))


def daily_review(checkout: Checkout) -> tuple[bool, int]:
    [found] = checkout.rows("select distinct is_complete, gaps from daily_review")
    return found[0], found[1]


def test_a_day_whose_digests_and_hashes_hold_is_complete_and_its_integrity_proven(
    proven: Proven, tmp_path: Path
) -> None:
    checkout = Checkout.of(tmp_path)
    ended = operate(checkout, "never", *proven.arguments)
    assert ended.code == 0, ended.last_lines
    assert "Integrity proven: " in ended.text
    files = csv.DictReader((checkout.evidence_of(str(DAY)) / "log_files.csv").open(newline=""))
    unproven = [row["log_file"] for row in files if row["kind"] == "log" and row["is_proven"] != "true"]
    assert unproven == []


def test_what_digests_contradict_is_named_in_review_evidence_and_message_and_the_rest_is_reviewed(
    proven: Proven, tmp_path: Path
) -> None:
    delivered = proven.delivered
    digest, changed, removed = (delivered.path(MIDDLE), *(delivered.root / delivered.logs[at] for at in (4, 20)))
    changed.write_bytes(gzip.compress(gzip.decompress(changed.read_bytes()).replace(b"event-", b"tneve-")))
    removed.unlink()
    digest.unlink()
    checkout, webhook = Checkout.of(tmp_path), Webhook()
    ended = operate(checkout, "never", *proven.arguments, "--notify-webhook", webhook.url)
    assert ended.code == 3, ended.last_lines
    assert daily_review(checkout) == (False, 1)
    [message] = webhook.posted
    [day] = message["days"]
    assert day["state"] == "incomplete"
    assert day["details"] == [], "no log content unless it is asked for"
    manifest = json.loads((checkout.evidence_of(str(DAY)) / "manifest.json").read_text())
    assert manifest["state"] == "incomplete"
    log_files = (checkout.evidence_of(str(DAY)) / "log_files.csv").read_text()
    for path in (digest, changed, removed):
        assert path.name in ended.last_lines
        assert path.name in message["text"]
        assert any(path.name in gap for gap in manifest["gaps"])
        assert path.name in log_files
    assert checkout.rows("select count(*) > 0 from stg_cloudtrail__events") == [(True,)]


def test_a_run_tells_how_it_ended_also_when_it_could_not_begin(logs: Path, tmp_path: Path) -> None:
    webhook, nowhere = Webhook(), str(tmp_path / "nowhere")
    arguments = ("run", "--logs", str(logs), "--settings", nowhere, "--notify-webhook", webhook.url)
    assert operate(Checkout.of(tmp_path), "never", *arguments).code == 2
    assert "there is no such file" in webhook.posted[0]["text"]


HOSTILE = (
    "<script>alert(1)</script>\"'--;\n=cmd|'/C calc'!A0\r\n\x1b[2J\x1b]0;owned\x07\u202e,\t@SUM(1+1)" + "A" * 100_000
)


def test_hostile_text_in_any_field_reaches_no_reader_unescaped(tmp_path: Path) -> None:
    checkout, webhook = Checkout.of(tmp_path), Webhook()
    logs = shutil.copytree(
        ROOT / "sample_logs", tmp_path / "hostile", ignore=shutil.ignore_patterns("CloudTrail-Digest")
    )
    fields = ("userAgent", "sourceIPAddress", "errorCode", "errorMessage", "eventName", "eventSource", "awsRegion")
    base = {
        "eventVersion": "1.08", "eventTime": f"{DAYS[1]}T08:00:00Z", "eventSource": "iam.amazonaws.com",
        "eventName": "CreateUser", "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.9", "userAgent": "x",
        "errorCode": "AccessDenied", "eventType": "AwsApiCall", "recipientAccountId": "111122223333",
        "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"},
        "requestParameters": {"userName": HOSTILE}, "resources": [{"ARN": HOSTILE}],
    }  # fmt: skip
    records = [base | {"eventID": f"hostile-{field}", field: HOSTILE} for field in fields]
    records.append(base | {"eventID": HOSTILE, "userIdentity": {"type": HOSTILE, "arn": HOSTILE, "userName": HOSTILE}})
    # what was done is grave, so that a message names it
    records.append({name: value for name, value in base.items() if name != "errorCode"} | {"eventID": "hostile-done"})
    folder = logs / "AWSLogs/111122223333/CloudTrail/us-east-1" / DAYS[1].replace("-", "/")
    # a bare carriage return, and nothing else that would have the cell quoted
    records.append(base | {"eventID": "hostile-return", "userAgent": "x\r=HYPERLINK(0)"})
    text = json.dumps({"Records": records}).encode()
    (folder / "111122223333_CloudTrail_us-east-1_20260310T0800Z_hostile.json.gz").write_bytes(gzip.compress(text))
    settings = settings_without_digests(tmp_path / "settings")
    told = ("--notify-webhook", webhook.url, "--notify-details", "--settings", str(settings))
    ran = operate(checkout, "never", "run", "--logs", str(logs), "--run-date", DAYS[1], *told)
    assert ran.code == 0, ran.last_lines
    [message] = webhook.posted
    assert message["outcome"] == "complete"
    assert any("<script>" in detail for detail in message["days"][0]["details"])
    shown = operate(checkout, "never", "show", DAYS[1])
    assert shown.code == 0, shown.last_lines
    assert "<script>" in shown.text, "the hostile events are there to be seen"
    for text in (ran.text, shown.text, message["text"], *message["days"][0]["details"]):
        assert not set(text) & set("\x1b\x07\r\u202e")
        assert max(map(len, text.splitlines())) < 2_000
    for path in checkout.evidence_of(DAYS[1]).rglob("*.csv"):
        rows = read_csv(path)
        assert {len(row) for row in rows} == {len(rows[0])}, f"{path.name}: nothing begins a row"
        for row in rows:
            for cell in row:
                assert not cell.lstrip().startswith(("=", "+", "-", "@")), f"{path.name}: {cell[:80]!r}"
    store = open_evidence(str(checkout.evidence))
    assert all(key.isprintable() for key in store.keys())  # noqa: SIM118


def read_csv(path: Path) -> list[list[str]]:
    csv.field_size_limit(10_000_000)
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@contextmanager
def lock_of_the_dead(store: EvidenceStore) -> Iterator[None]:
    """The lock of a run that was killed; its dbt, which was just starting, has 15 seconds to see it and to end."""
    deadline = time.monotonic() + 15
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(store.lock())
                break
            except Locked:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield


def test_the_lock_is_free_after_a_kill(logs: Path, tmp_path: Path) -> None:
    checkout = Checkout.of(tmp_path)
    assert operate(checkout, "take_inventory:before", "run", "--logs", str(logs), "--run-date", DAYS[1]).code == -9
    assert (checkout.evidence / ".lock").exists()
    store = open_evidence(str(checkout.evidence))
    with lock_of_the_dead(store):
        assert store.keys() == ["latest.json"]
