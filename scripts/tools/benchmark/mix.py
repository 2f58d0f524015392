"""The events of the generated logs: mix.txt, made into templates of CloudTrail records."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from itertools import accumulate, islice
from pathlib import Path

from tools import make_sample_logs as sample

BYTES_PER_EVENT = 1_700
ONE_IN = 200  # so many events, of which one is of interest to a requirement
_SESSIONS = 400
_DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)  # of the templates; a record has its own
_WORD = re.compile(r"<(id|request|date|time|n|session|pad)>")

_PROGRAMS = {
    "orders-api": sample.role(sample.PROD, "orders-api", "i-<session>", "192.0.2.10", sample.JAVA, context=sample.EC2),
    "nodes": sample.role(sample.PROD, "eks-nodes", "i-<session>", "192.0.2.30", sample.BOTO, context=sample.EC2),
    "thumbnails": sample.role(sample.PROD, "thumbnails", "thumbnails", "192.0.2.40", sample.BOTO),
    "monitor": sample.role(sample.PROD, "monitoring", "collector-<session>", "192.0.2.50", sample.BOTO),
}


@dataclass(frozen=True)
class Line:
    """A line of mix.txt: how frequent the event is, whose findings it is, and what happens."""

    weight: int
    requirements: tuple[str, ...]
    event: str


@dataclass(frozen=True)
class Template:
    """A record of CloudTrail as text, cut where a word of _WORD is to be filled in: every other part is such a word."""

    parts: tuple[str, ...]
    padding: int


@cache
def lines(section: str) -> tuple[Line, ...]:
    """The lines of a section of mix.txt."""
    text = (Path(__file__).parent / "mix.txt").read_text(encoding="utf-8").partition(f"@ {section}\n")[2]
    found = []
    for line in text.partition("\n@ ")[0].splitlines():
        if line and not line.startswith("#"):
            weight, rest = line.split(maxsplit=1)
            requirements, event = rest.split(" ", 1) if section == "planted" else ("", rest)
            found.append(Line(int(weight), tuple(filter(None, requirements.split(","))), event))
    return tuple(found)


@cache
def _turns() -> tuple[Line, ...]:
    """The planted lines in the order in which they come, each as often as its weight says."""
    turns = [line for line in lines("planted") for _ in range(line.weight)]
    random.Random(0).shuffle(turns)  # noqa: S311  # the same order every time
    return tuple(turns)


def planted(number: int) -> Line | None:
    """What is planted in place of the day's event of that number, if anything."""
    turn, place = divmod(number, ONE_IN)
    return _turns()[turn % len(_turns())] if place == ONE_IN // 2 else None


def findings(events: int) -> dict[str, int]:
    """How many findings of each requirement a day of so many events has."""
    counted = Counter(
        requirement
        for number in range(ONE_IN // 2, events, ONE_IN)
        if (line := planted(number))
        for requirement in line.requirements
    )
    return {requirement: counted[requirement] for line in lines("planted") for requirement in line.requirements}


def records(account: str, region: str, day: date, first: int, count: int) -> Iterator[str]:
    """The records, as JSON, of the day's events with the numbers from `first` on."""
    chance = random.Random(f"{day} {first}")  # noqa: S311  # the same events every time
    ordinary = lines("ordinary")
    weights = list(accumulate(line.weight for line in ordinary))
    for number, line in enumerate(chance.choices(ordinary, cum_weights=weights, k=count), first):
        template = _template((planted(number) or line).event, account, region)
        bits = f"{chance.getrandbits(640):0160x}"
        second = chance.randrange(86_400)
        values = {
            "id": f"{bits[:8]}-{bits[8:12]}-4{bits[12:15]}-8{bits[15:18]}-{bits[18:30]}",
            "request": f"{bits[30:38]}-{bits[38:42]}-4{bits[42:45]}-8{bits[45:48]}-{bits[48:60]}",
            "date": str(day),
            "time": f"{second // 3_600:02}:{second // 60 % 60:02}:{second % 60:02}",
            "n": f"{chance.randrange(10_000_000):07}",
            "session": f"0a1b2c3d4e{chance.randrange(_SESSIONS):07x}",
            "pad": bits[60:].ljust(template.padding, "="),
        }
        yield "".join(values[part] if at % 2 else part for at, part in enumerate(template.parts))


@cache
def _template(event: str, account: str, region: str) -> Template:
    sample.CAST.update(_PROGRAMS)
    trail = sample.Trail()
    trail.log(sample.PROD, region, _DAY, event)
    [[(_, record)]] = trail.delivered.values()
    record |= {"eventID": "<id>", "requestID": "<request>"}
    if "eventTime" in record:
        record["eventTime"] = "<date>T<time>Z"
    # the real ones have much that no review asks for: here it is this
    record["additionalEventData"] = {**(record.get("additionalEventData") or {}), "x-amz-id-2": "<pad>"}
    text = json.dumps(record, separators=(",", ":")).replace(str(_DAY.date()), "<date>").replace(sample.PROD, account)
    parts = _WORD.split(text)
    known = len("".join(islice(parts, 0, None, 2)))
    return Template(tuple(parts), BYTES_PER_EVENT - known - 160)  # so long are the other words together, about
