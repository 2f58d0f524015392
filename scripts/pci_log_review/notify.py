"""Tells people that the review ran: one message a run, to an SNS topic, a webhook, or both, as text and as JSON.

A message holds counts, places and what is missing, and no log content unless it was asked for: a mailbox is no place
for audit logs.
"""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from http.client import HTTPException
from itertools import chain
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .project import UsageError
from .terminal import printable

TIMEOUT_SECONDS = 20
_SUBJECT_CHARACTERS = 100  # what SNS allows
_SHOWN_GAPS, _SHOWN_GAPS_IN_JSON = 20, 5
_SNS_BYTES = 250_000  # SNS takes 262,144, in which the message stands four times
_LINE, _TEXT = 300, 20_000  # characters
_CUT_OFF = "… cut off; the rest stands in the evidence"
_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?")


@dataclass(frozen=True)
class DayOutcome:
    """How the review of one day ended, as a message tells it."""

    run_date: str
    state: str
    gaps: list[str]
    integrity: str
    unexpected_findings: dict[str, int]
    evidence: str | None
    manifest_sha256: str | None
    details: list[str]


@dataclass(frozen=True)
class Message:
    """What a run has to tell."""

    outcome: str
    days: list[DayOutcome]
    days_left: int
    reasons: list[str]

    @property
    def subject(self) -> str:
        """One line of printable ASCII."""
        if not self.days or self.reasons:  # the reasons are of a day that is not among them
            text = f"PCI log review: {self.outcome}"
        elif len(self.days) == 1:
            text = f"PCI log review of {self.days[0].run_date}: {self.outcome}"
        else:
            text = f"PCI log review of {self.days[0].run_date} to {self.days[-1].run_date}: {self.outcome}"
        return "".join(char if " " <= char <= "~" else "?" for char in text)[:_SUBJECT_CHARACTERS]

    @property
    def text(self) -> str:
        """The message for people: every day with its manifest's hash, and as many gaps and findings as fit."""
        beginning = [self.subject, *self.reasons[:_SHOWN_GAPS]]
        if self.days_left:
            beginning.append(f"{self.days_left} more days are due; the next run goes on with them.")
        for shown in (_SHOWN_GAPS, 3, 0):
            text = _as_fits(beginning, (line for day in self.days for line in _of_day(day, shown)))
            if not text.endswith(_CUT_OFF):
                return text
        return _as_fits(
            beginning, (f"{day.run_date}: {day.state} (manifest {day.manifest_sha256})" for day in self.days)
        )

    def as_json(self) -> dict[str, Any]:
        """The message for machines; `text` is where chat services look for it."""
        days = [
            asdict(day)
            | {
                "gaps": [_line(gap) for gap in day.gaps[:_SHOWN_GAPS_IN_JSON]],
                "gaps_in_all": len(day.gaps),
                "details": [_line(detail) for detail in day.details[:_SHOWN_GAPS]],
            }
            for day in self.days
        ]
        reasons = [_line(reason) for reason in self.reasons[:_SHOWN_GAPS]]
        return {"text": self.text, **asdict(self), "days": days, "reasons": reasons}


def _as_fits(beginning: list[str], lines: Iterable[str]) -> str:
    text = ""
    for line in map(_line, chain(beginning, lines)):
        if len(text) + len(line) > _TEXT:
            return f"{text}{_CUT_OFF}"
        text += f"{line}\n"
    return text.rstrip("\n")


def _of_day(day: DayOutcome, shown: int) -> Iterator[str]:
    """The lines of a day, with so many gaps and findings at most."""
    yield ""
    yield f"{day.run_date}: {day.state}. {day.integrity}".rstrip()
    yield from (f"  - {gap}" for gap in day.gaps[:shown])
    if len(day.gaps) > shown:
        yield f"  - … and {len(day.gaps) - shown} more" if shown else f"  - gaps: {len(day.gaps)}"
    if day.state != "failed":
        found = [f"{requirement}: {count}" for requirement, count in day.unexpected_findings.items() if count]
        yield f"  unexpected findings: {', '.join(found) or ('none' if day.unexpected_findings else 'no logs')}"
    yield from (f"    {detail}" for detail in day.details[:shown])
    if shown < len(day.details):
        yield f"    … and {len(day.details) - shown} more"
    if day.evidence:
        yield f"  evidence: {day.evidence} (manifest {day.manifest_sha256})"


def _line(text: str) -> str:
    """One line that fits: what is in it may come from whoever writes a log."""
    return printable(text if len(text) <= _LINE else f"{text[:_LINE]} …")


def check_places(topic: str | None, webhook: str | None) -> None:
    """Raises UsageError where nobody could be told, before anything runs. The address may be a secret: not named."""
    if topic and not _TOPIC.fullmatch(topic):
        raise UsageError(f"--notify-topic {topic!r} is no SNS topic: arn:aws:sns:us-east-1:111122223333:name")
    if webhook:
        try:
            parts = urlsplit(webhook)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            is_web = False
        if not is_web or not webhook.isascii() or not webhook.isprintable() or " " in webhook:
            raise UsageError("--notify-webhook is no http or https address")


def notify(message: Message, topic: str | None, webhook: str | None) -> list[str]:
    """Sends the message; returns a line for each place that did not take it."""
    failed = []
    if topic:
        try:
            _publish(message, topic)
        except (BotoCoreError, ClientError, ValueError) as error:
            failed.append(f"notification: SNS topic {topic} did not take it: {error}")
    if webhook:
        try:
            _post(message, webhook)
        except HTTPError as error:
            failed.append(f"notification: the webhook did not take it: HTTP status {error.code}")
        except (OSError, ValueError, HTTPException) as error:  # their texts may hold the address, which is a secret
            failed.append(f"notification: the webhook did not take it: {type(error).__name__}")
    return failed


def _publish(message: Message, topic: str) -> None:
    """A topic's mail subscribers get text, programs JSON."""
    content = message.as_json()
    envelope = _envelope(message, content)
    if len(envelope) > _SNS_BYTES:
        days = [day | {"gaps": [], "details": []} for day in content["days"]]
        envelope = _envelope(message, content | {"text": message.subject, "days": days, "reasons": []})
    boto3.client("sns", region_name=topic.split(":")[3]).publish(
        TopicArn=topic, Subject=message.subject, Message=envelope, MessageStructure="json"
    )


def _envelope(message: Message, content: dict[str, Any]) -> str:
    machines = json.dumps(content)
    return json.dumps({"default": message.text, **dict.fromkeys(("sqs", "lambda", "https"), machines)})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A page that somebody is sent on to takes no message."""

    def redirect_request(self, *_: object) -> None:
        return None


def _post(message: Message, webhook: str) -> None:
    content = message.as_json()
    # chat services read <…> and & as markup
    content["text"] = content["text"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    request = urllib.request.Request(  # noqa: S310  # check_places has looked at the scheme
        webhook, json.dumps(content).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.build_opener(_NoRedirect).open(request, timeout=TIMEOUT_SECONDS):
        pass
