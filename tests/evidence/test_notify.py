"""What people are told, by a topic and a webhook that really answer."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import boto3
import pytest

from pci_log_review import notify as told
from pci_log_review.common.errors import UsageError
from pci_log_review.console.reporter import JsonReporter, TextReporter, print_day
from pci_log_review.evidence.chain import Record
from pci_log_review.evidence.history import Day
from pci_log_review.evidence.manifest import Conclusion, Manifest, State
from pci_log_review.notify import Message, check_places, notify
from pci_log_review.pages.grouping import Grouped
from pci_log_review.review.day import Reviewed

DATE = date(2026, 3, 10)
DAY = Reviewed(
    Conclusion(
        run_date=DATE,
        state=State.INCOMPLETE,
        gaps=["444455556666 eu-west-1: no logs, though trail_scope expects them daily"],
        integrity="integrity not proven: no digest files",
        findings={"10.2.1.4": 5, "10.2.1.5": 0, "10.2.1.6": 1},
        unexpected_findings={"10.2.1.4": 3, "10.2.1.5": 0, "10.2.1.6": 1},
    ),
    evidence="s3://evidence/2026-03-10/20260311T060000Z-0000abcd",
    manifest_sha256="ab" * 32,
)
MESSAGE = Message("INCOMPLETE", [DAY], 0, [])


def day_with(**conclusion: Any) -> Reviewed:
    """The day with another conclusion."""
    return replace(DAY, conclusion=replace(DAY.conclusion, **conclusion))


class Webhook:
    """A web server that keeps what is posted."""

    def __init__(self, status: int = 200, location: str | None = None) -> None:
        self.posted: list[dict[str, Any]] = []
        posted = self.posted

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer()

            def do_GET(self) -> None:
                posted.append({"got": self.path})
                self.answer()

            def answer(self) -> None:
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook?token=secret"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    hook = Webhook()
    yield hook
    hook.server.shutdown()


@pytest.fixture
def topic(s3: None) -> tuple[str, str]:  # noqa: ARG001 — the environment in which boto3 finds moto
    """A topic, and the queue that gets what is published."""
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    arn = sns.create_topic(Name="review")["TopicArn"]
    queue = sqs.create_queue(QueueName="review")["QueueUrl"]
    where = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=where)
    return arn, queue


def received(queue: str) -> dict[str, Any]:
    [message] = boto3.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    content: dict[str, Any] = json.loads(message["Body"])
    return content


def test_the_text_tells_day_completeness_gaps_unexpected_findings_and_evidence() -> None:
    assert MESSAGE.text.splitlines() == [
        "PCI log review of 2026-03-10: INCOMPLETE",
        "",
        "2026-03-10: incomplete. integrity not proven: no digest files",
        "  - 444455556666 eu-west-1: no logs, though trail_scope expects them daily",
        "  unexpected findings: 10.2.1.4: 3, 10.2.1.6: 1",
        f"  evidence: s3://evidence/2026-03-10/20260311T060000Z-0000abcd (manifest {'ab' * 32})",
    ]


def test_a_complete_day_says_that_nothing_unexpected_was_found() -> None:
    day = day_with(state=State.COMPLETE, gaps=[], unexpected_findings={"10.2.1.4": 0})
    assert "  unexpected findings: none" in Message("complete", [day], 0, []).text.splitlines()


def test_a_run_without_a_due_day_and_one_that_could_not_begin_are_told_as_well() -> None:
    assert Message("nothing is due", [], 0, []).text == "PCI log review: nothing is due"
    text = Message("FAILED", [], 0, ["settings: trail_scope.csv, line 2: account_id: is empty"]).text
    assert text == "PCI log review: FAILED\nsettings: trail_scope.csv, line 2: account_id: is empty"


def test_a_day_that_was_sealed_is_not_blamed_for_what_went_wrong_after_it() -> None:
    text = Message("FAILED", [DAY], 0, ["the run was broken off: it was told to end"]).text
    assert text.startswith("PCI log review: FAILED\nthe run was broken off")
    assert "2026-03-10: incomplete." in text


def test_days_that_are_left_are_told() -> None:
    assert "227 more days are due" in Message("31 complete", [DAY, DAY], 227, []).text


def test_a_hostile_name_reaches_nobody_unescaped() -> None:
    hostile = "AWSLogs/\x1b[2J\nSubject: you won\r\u202e.gz is empty"
    details = {DAY.conclusion.run_date: ["10.2.1.4: \x1b]0;owned\x07 did it"]}
    text = Message("INCOMPLETE", [day_with(gaps=[hostile])], 0, [], details).text
    assert not set(text) & set("\x1b\r\x07\u202e")
    assert "Subject: you won" not in text.splitlines()


def test_the_subject_is_one_short_line_of_ascii() -> None:
    subject = Message("ü\n" * 200, [DAY], 0, []).subject
    assert len(subject) <= 100
    assert subject.isascii()
    assert subject.isprintable()


def test_a_topic_gets_json_for_machines_and_the_subject(topic: tuple[str, str]) -> None:
    arn, queue = topic
    assert notify(MESSAGE, None, arn, None) == []
    envelope = received(queue)
    assert envelope["Subject"] == MESSAGE.subject
    content = json.loads(envelope["Message"])
    assert content["text"] == MESSAGE.text
    assert content["days"][0]["unexpected_findings"] == {"10.2.1.4": 3, "10.2.1.5": 0, "10.2.1.6": 1}


def test_a_webhook_gets_the_same_json(webhook: Webhook) -> None:
    assert notify(MESSAGE, None, None, webhook.url) == []
    assert webhook.posted == [json.loads(json.dumps(MESSAGE.as_json()))]


def test_markup_of_chat_services_is_text_in_what_a_webhook_gets(webhook: Webhook) -> None:
    day = day_with(gaps=["AWSLogs/<!channel> <https://example.com|click> & more.gz is empty"])
    assert notify(Message("INCOMPLETE", [day], 0, []), None, None, webhook.url) == []
    assert "&lt;!channel&gt; &lt;https://example.com|click&gt; &amp; more" in webhook.posted[0]["text"]
    assert "<" not in webhook.posted[0]["text"]


def test_both_are_told(webhook: Webhook, topic: tuple[str, str]) -> None:
    arn, queue = topic
    assert notify(MESSAGE, None, arn, webhook.url) == []
    assert received(queue)
    assert len(webhook.posted) == 1


def test_who_does_not_take_the_message_is_said_without_the_address_which_is_a_secret() -> None:
    refusing = Webhook(status=500)
    assert notify(MESSAGE, None, None, refusing.url) == ["notification: the webhook did not take it: HTTP status 500"]
    refusing.server.shutdown()
    refusing.server.server_close()
    assert notify(MESSAGE, None, None, refusing.url) == [
        "notification: the webhook did not take it: NewConnectionError"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_who_is_sent_on_to_another_page_was_not_told_and_the_page_learns_nothing(webhook: Webhook, status: int) -> None:
    redirecting = Webhook(status, webhook.url)
    assert notify(MESSAGE, None, None, redirecting.url) == [
        f"notification: the webhook did not take it: HTTP status {status}"
    ]
    assert len(redirecting.posted) == 1
    assert webhook.posted == []
    redirecting.server.shutdown()


class Dripping:
    """A server that answers with `beginning`, and then a byte every now and then for ever."""

    def __init__(self, beginning: bytes) -> None:
        self._beginning = beginning
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/SECRET"
        Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        connection, _ = self._socket.accept()
        with connection, suppress(OSError):
            connection.recv(1 << 16)
            connection.sendall(self._beginning)
            while True:
                connection.sendall(b"x")
                time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\nServer: "])
def test_an_answer_that_drips_is_cut_off_by_one_deadline(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(told, "DEADLINE_SECONDS", 0.5)
    began = time.monotonic()
    assert notify(MESSAGE, None, None, Dripping(beginning).url) == [
        "notification: the webhook did not take it: TimeoutError"
    ]
    assert time.monotonic() - began < 5


def test_what_an_answer_says_beside_its_status_is_not_waited_for() -> None:
    assert notify(MESSAGE, None, None, Dripping(b"HTTP/1.1 200 OK\r\n\r\n").url) == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/SECRET",
        "ftp://example.com/SECRET",
        "SECRET",
        "http://",
        "https://[SECRET",
        "http://127.0.0.1:ab/SECRET",
        "https://127.0.0.1/SECRET path",
        "https://127.0.0.1/SECRET\n",
    ],
)
def test_what_is_no_web_address_is_refused_before_anything_runs(address: str) -> None:
    with pytest.raises(UsageError) as refused:
        check_places(None, address)
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("arn", ["no-arn", "arn", "arn:aws:sns::1:x", "arn:aws:sqs:us-east-1:123456789012:x"])
def test_what_is_no_topic_is_refused_before_anything_runs(arn: str) -> None:
    with pytest.raises(UsageError, match="is not an SNS topic"):
        check_places(arn, None)


def test_topics_and_web_addresses_are_taken(topic: tuple[str, str], webhook: Webhook) -> None:
    check_places(topic[0], webhook.url)
    check_places("arn:aws-us-gov:sns:us-gov-west-1:123456789012:review.fifo", "https://example.com/a?b=c")
    check_places(None, None)


@pytest.mark.usefixtures("s3")
def test_a_topic_that_is_not_there_is_named() -> None:
    arn = "arn:aws:sns:us-east-1:123456789012:gone"
    [line] = notify(MESSAGE, None, arn, None)
    assert line.startswith(f"notification: SNS topic {arn} did not take it: ")


def test_the_largest_message_is_one_that_sns_takes(topic: tuple[str, str]) -> None:
    day, details = day_with(gaps=['"<\\' * 1_000] * 500), {DAY.conclusion.run_date: ["x" * 300_000] * 21}
    message = Message("31 incomplete", [day] * 31, 9_999, ['"' * 1_000_000] * 100, details)
    arn, queue = topic
    assert notify(message, None, arn, None) == []
    envelope = json.loads(received(queue)["Message"])
    assert envelope["days"][0]["gaps_in_all"] == 500
    assert len(envelope["days"]) == 31
    endless = Message("999 incomplete", [DAY] * 999, 0, [])
    assert "cut off; the rest stands in the evidence" in endless.text


@pytest.mark.parametrize("number", [1, 3, 31, 150])
def test_every_day_and_its_manifests_hash_stand_in_the_text_however_much_there_is_to_tell(number: int) -> None:
    days = [
        replace(
            day_with(run_date=date(2026, 3, 1) + timedelta(days=n), gaps=["a gap " * 40] * 30),
            manifest_sha256=f"{n:064x}",
        )
        for n in range(number)
    ]
    details = {day.conclusion.run_date: ["a detail " * 30] * 20 for day in days}
    text = Message(f"{number} incomplete", days, 7, ["a reason"], details).text
    assert "a reason" in text
    assert "7 more days are due" in text
    for day in days:
        assert f"\n{day.conclusion.run_date}: incomplete" in text
        assert f"manifest {day.manifest_sha256}" in text


def test_where_there_were_no_logs_the_text_does_not_say_that_nothing_was_found() -> None:
    assert "unexpected findings: no logs" in Message("INCOMPLETE", [day_with(unexpected_findings={})], 0, []).text


def test_notes_stand_in_the_message_for_people_and_for_machines_and_on_the_page_of_the_day(
    capsys: pytest.CaptureFixture[str],
) -> None:
    note = "Code: the checkout differs from its commit 0123456789ab: models/review/findings.sql"
    for state in (State.COMPLETE, State.FAILED):
        told = day_with(state=state, notes=[note])
        message = Message("complete", [told], 0, [])
        assert f"  note: {note}" in message.text.splitlines()
        assert message.as_json()["days"][0]["notes"] == [note]
        TextReporter().reviewed(told)
        JsonReporter().reviewed(told)
        out = capsys.readouterr().out
        assert f"Note: {note}" in out
        assert f'"notes": ["{note}"]' in out
    record = Record("20260311T060000Z-0000abcd", "2026-03-10/20260311T060000Z-0000abcd/manifest.json", DATE, "run")
    print_day(Day(DATE, 1, Manifest(record, "ab" * 32, told.conclusion, {}), None), "evidence", [], Grouped({}, {}))
    assert f"Note: {note}" in capsys.readouterr().out
