"""Tells people that the review ran: one message a run, to an SNS topic, a webhook, or both, as text and as JSON.

A message holds counts, places and what is missing, and no log content unless it was asked for: a mailbox is no place
for audit logs.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .terminal import printable

TIMEOUT_SECONDS = 20
_SUBJECT_CHARACTERS = 100  # what SNS allows
_SHOWN_GAPS = 20


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
        if not self.days:
            text = f"PCI log review: {self.outcome}"
        elif len(self.days) == 1:
            text = f"PCI log review of {self.days[0].run_date}: {self.outcome}"
        else:
            text = f"PCI log review of {self.days[0].run_date} to {self.days[-1].run_date}: {self.outcome}"
        return "".join(char if " " <= char <= "~" else "?" for char in text)[:_SUBJECT_CHARACTERS]

    @property
    def text(self) -> str:
        """The message for people."""
        return "\n".join(printable(line) for line in [self.subject, *self._lines()])

    def _lines(self) -> Iterator[str]:
        yield from self.reasons
        for day in self.days:
            yield ""
            yield f"{day.run_date}: {day.state}. {day.integrity}".rstrip()
            yield from (f"  - {gap}" for gap in day.gaps[:_SHOWN_GAPS])
            if len(day.gaps) > _SHOWN_GAPS:
                yield f"  - … and {len(day.gaps) - _SHOWN_GAPS} more"
            if day.state != "failed":
                found = [f"{requirement}: {count}" for requirement, count in day.unexpected_findings.items() if count]
                yield f"  unexpected findings: {', '.join(found) or 'none'}"
            yield from (f"    {detail}" for detail in day.details)
            if day.evidence:
                yield f"  evidence: {day.evidence} (manifest {day.manifest_sha256})"
        if self.days_left:
            yield ""
            yield f"{self.days_left} more days are due; the next run goes on with them."

    def as_json(self) -> dict[str, Any]:
        """The message for machines; `text` is where chat services look for it."""
        return {"text": self.text, **asdict(self)}


def notify(message: Message, topic: str | None, webhook: str | None) -> list[str]:
    """Sends the message; returns a line for each place that did not take it."""
    failed = []
    if topic:
        try:
            _publish(message, topic)
        except (BotoCoreError, ClientError, IndexError) as error:
            failed.append(f"notification: SNS topic {topic} did not take it: {error}")
    if webhook:
        try:
            _post(message, webhook)
        except (OSError, ValueError) as error:  # the address is a secret where a chat service made it: not named
            failed.append(f"notification: the webhook at {urlsplit(webhook).hostname} did not take it: {error}")
    return failed


def _publish(message: Message, topic: str) -> None:
    """A topic's mail subscribers get text, everything else JSON."""
    region = topic.split(":")[3]
    machines = json.dumps(message.as_json())
    content = {"default": message.text, **dict.fromkeys(("sqs", "lambda", "http", "https", "email-json"), machines)}
    boto3.client("sns", region_name=region).publish(
        TopicArn=topic, Subject=message.subject, Message=json.dumps(content), MessageStructure="json"
    )


def _post(message: Message, webhook: str) -> None:
    if urlsplit(webhook).scheme not in ("http", "https"):
        raise ValueError("it is no http or https address")
    request = urllib.request.Request(  # noqa: S310  # the scheme has just been checked
        webhook, json.dumps(message.as_json()).encode(), {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
        pass
