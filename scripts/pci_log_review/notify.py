"""Tells people that the review ran: one message a run, to an SNS topic, a webhook, or both, as text and as JSON.

A message holds counts, places and what is missing, and no log content unless it was asked for: a mailbox is not a place
for audit logs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from .common.errors import UsageError
from .common.text import printable
from .review.day import Reviewed

TIMEOUT_SECONDS = 20  # for the webhook to connect, and to begin its answer
DEADLINE_SECONDS = 60  # for a whole call, however it goes on
_SUBJECT_CHARACTERS = 100  # what SNS allows
_SHOWN_GAPS, _SHOWN_GAPS_IN_JSON = 20, 5
_SNS_BYTES = 250_000  # SNS takes 262,144, in which the message stands four times
_LINE, _TEXT = 300, 20_000  # characters
_CUT_OFF = "… cut off; the rest stands in the evidence"
_T = TypeVar("_T")
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?")


@dataclass(frozen=True)
class Message:
    """What a run has to tell; `details` holds the findings to name, if any are to be named, by day."""

    outcome: str
    days: list[Reviewed]
    days_left: int
    reasons: list[str]
    details: Mapping[date, list[str]] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """One line of printable ASCII."""
        if not self.days or self.reasons:  # the reasons are of a day that is not among them
            text = f"PCI log review: {self.outcome}"
        elif len(self.days) == 1:
            text = f"PCI log review of {self.days[0].conclusion.run_date}: {self.outcome}"
        else:
            first, last = (day.conclusion.run_date for day in (self.days[0], self.days[-1]))
            text = f"PCI log review of {first} to {last}: {self.outcome}"
        return "".join(char if " " <= char <= "~" else "?" for char in text)[:_SUBJECT_CHARACTERS]

    @property
    def text(self) -> str:
        """The message for people: every day with its manifest's hash, and as many gaps and findings as fit."""
        beginning = [self.subject, *self.reasons[:_SHOWN_GAPS]]
        if self.days_left:
            beginning.append(f"{self.days_left} more days are due; the next run goes on with them.")
        for shown in (_SHOWN_GAPS, 3, 0):
            text = _as_fits(beginning, (line for day in self.days for line in self._of_day(day, shown)))
            if not text.endswith(_CUT_OFF):
                return text
        return _as_fits(beginning, map(_shortest, self.days))

    def as_json(self) -> dict[str, Any]:
        """The message for machines; `text` is where chat services look for it."""
        return {
            "text": self.text,
            "outcome": self.outcome,
            "days": [self._day_as_json(day) for day in self.days],
            "days_left": self.days_left,
            "reasons": [_line(reason) for reason in self.reasons[:_SHOWN_GAPS]],
        }

    def _day_as_json(self, day: Reviewed) -> dict[str, Any]:
        conclusion = day.conclusion
        return {
            "run_date": str(conclusion.run_date),
            "state": conclusion.state.value,
            "gaps": [_line(gap) for gap in conclusion.gaps[:_SHOWN_GAPS_IN_JSON]],
            "gaps_in_all": len(conclusion.gaps),
            "integrity": conclusion.integrity,
            "notes": [_line(note) for note in day.notes[:_SHOWN_GAPS_IN_JSON]],
            "not_proven": conclusion.not_proven,
            "unexpected_findings": conclusion.unexpected_findings,
            "evidence": day.evidence,
            "manifest_sha256": day.manifest_sha256,
            "details": [_line(detail) for detail in self.details.get(conclusion.run_date, [])[:_SHOWN_GAPS]],
        }

    def _of_day(self, day: Reviewed, shown: int) -> Iterator[str]:
        """The lines of a day, with so many gaps and findings at most."""
        conclusion, details = day.conclusion, self.details.get(day.conclusion.run_date, [])
        yield ""
        yield f"{conclusion.run_date}: {conclusion.state}. {conclusion.integrity}".rstrip()
        if conclusion.not_proven:
            yield f"  {conclusion.not_proven}"
        yield from (f"  - {gap}" for gap in conclusion.gaps[:shown])
        if len(conclusion.gaps) > shown:
            yield f"  - … and {len(conclusion.gaps) - shown} more" if shown else f"  - gaps: {len(conclusion.gaps)}"
        if not day.is_failed:
            counts = conclusion.unexpected_findings
            found = [f"{requirement}: {count}" for requirement, count in counts.items() if count]
            yield f"  unexpected findings: {', '.join(found) or ('none' if counts else 'no logs')}"
        yield from (f"  note: {note}" for note in day.notes[:shown])
        yield from (f"    {detail}" for detail in details[:shown])
        if shown < len(details):
            yield f"    … and {len(details) - shown} more"
        yield f"  evidence: {day.evidence} (manifest {day.manifest_sha256})"


def _shortest(day: Reviewed) -> str:
    return f"{day.conclusion.run_date}: {day.conclusion.state} (manifest {day.manifest_sha256})"


def _as_fits(beginning: list[str], lines: Iterable[str]) -> str:
    text = ""
    for line in map(_line, chain(beginning, lines)):
        if len(text) + len(line) > _TEXT:
            return f"{text}{_CUT_OFF}"
        text += f"{line}\n"
    return text.rstrip("\n")


def _line(text: str) -> str:
    """One line that fits: what is in it may come from whoever writes a log."""
    return printable(text if len(text) <= _LINE else f"{text[:_LINE]} …")


def check_places(topic: str | None, webhook: str | None) -> None:
    """Raises UsageError where nobody could be told, before anything runs. The address may be a secret: not named."""
    if topic and not _TOPIC.fullmatch(topic):
        raise UsageError(f"--notify-topic {topic!r} is not an SNS topic: arn:aws:sns:us-east-1:111122223333:name")
    if webhook:
        try:
            parts = urlsplit(webhook)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_web = False
        if not is_web or not webhook.isascii() or not webhook.isprintable() or " " in webhook:
            raise UsageError("--notify-webhook is not an http or https address")


def notify(message: Message, session: boto3.Session | None, topic: str | None, webhook: str | None) -> list[str]:
    """Sends the message, to the topic with the AWS identity of `session` or the environment's; returns a line for each
    place that did not take it.
    """
    failed = []
    if topic:
        try:
            _in_time(lambda: _publish(message, session, topic))
        except (BotoCoreError, ClientError, OSError, ValueError) as error:
            failed.append(f"notification: SNS topic {topic} did not take it: {error}")
    if webhook:
        try:
            status = _in_time(lambda: _post(message, webhook))
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            # their texts may hold the address, which is a secret
            failed.append(f"notification: the webhook did not take it: {type(error).__name__}")
        else:
            if not 200 <= status < 300:
                failed.append(f"notification: the webhook did not take it: HTTP status {status}")
    return failed


def _in_time(call: Callable[[], _T]) -> _T:
    """What the call returns. Raises what it raises, or TimeoutError after DEADLINE_SECONDS: whoever sends a byte now
    and then keeps every other time limit. The call is then left to itself, and ends with the process.
    """
    ended: Future[_T] = Future()

    def run() -> None:
        try:
            ended.set_result(call())
        except BaseException as error:
            ended.set_exception(error)

    Thread(target=run, daemon=True).start()
    return ended.result(DEADLINE_SECONDS)


def _publish(message: Message, session: boto3.Session | None, topic: str) -> None:
    """A topic's mail subscribers get text, programs JSON."""
    content = message.as_json()
    envelope = _envelope(message, content)
    if len(envelope) > _SNS_BYTES:
        days = [day | {"gaps": [], "details": []} for day in content["days"]]
        envelope = _envelope(message, content | {"text": message.subject, "days": days, "reasons": []})
    (session or boto3.Session()).client("sns", region_name=topic.split(":")[3]).publish(
        TopicArn=topic, Subject=message.subject, Message=envelope, MessageStructure="json"
    )


def _envelope(message: Message, content: dict[str, Any]) -> str:
    machines = json.dumps(content)
    return json.dumps({"default": message.text, **dict.fromkeys(("sqs", "lambda", "https"), machines)})


def _post(message: Message, webhook: str) -> int:
    """The HTTP status of the answer. A redirect is not followed: the page it leads to would take no message."""
    content = message.as_json()
    # chat services read <…> and & as markup
    content["text"] = content["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    proxy = None if proxy_bypass(urlsplit(webhook).hostname or "") else getproxies().get(urlsplit(webhook).scheme)
    timeout = urllib3.Timeout(TIMEOUT_SECONDS)
    pool = urllib3.ProxyManager(proxy, timeout=timeout) if proxy else urllib3.PoolManager(timeout=timeout)
    with pool:
        answer = pool.request("POST", webhook, json=content, redirect=False, retries=False, preload_content=False)
        return answer.status  # what else it says is not read: it may have no end
