"""Folds a day's findings: requirement, actor and outcome make a headline; event, error and kind of resource a line.

    headline  10.2.1.5 · user reporting · done
      line      changed a role's trust policy on settlement-export · 1 · 14:02
        finding

An event that stands under several requirements is read once: where it is unexpected and gravest. The other
requirements count it, and say where it is read. Nothing is left out: every finding belongs to one line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain

from .folding import Row, actor_of, resource_kind, session_of
from .gravity import Gravity, Touch, flags_of, gravity_of, meant_of, touch_of
from .novelty import Actor, Seen, actor_key, event_key
from .sentences import sentence

OUTCOMES = {"success": "done", "failure": "failed", "denied": "refused"}
_ROOT_FOR = timedelta(hours=1)  # beyond the longest session of AssumeRoot, 15 minutes
_FIRST_OF_A_LINE = 20  # findings of which every line keeps the rows
_MOST_ROWS = 50_000  # of which rows are kept, beyond those; the rest is counted, and lies in the tables


@dataclass
class Line:
    """Calls alike: `rows` are the first of them, gone through in the order of time; `count` is how many there are."""

    requirement: str
    actor: str
    account: str
    outcome: str
    event: str
    error: str
    resource: str
    is_expected: bool
    expected_line: str
    gravity: Gravity
    meant: Gravity
    touch: Touch
    text: str
    id: str
    who: Actor
    call: str
    count: int = 0
    first: str = ""
    last: str = ""
    origins: Counter[str] = field(default_factory=Counter)
    resources: Counter[str] = field(default_factory=Counter)
    sessions: Counter[str] = field(default_factory=Counter)
    regions: Counter[str] = field(default_factory=Counter)
    hours: Counter[str] = field(default_factory=Counter)
    flags: set[str] = field(default_factory=set)
    also: Counter[str] = field(default_factory=Counter)
    new: tuple[str, ...] = ()
    since: str = ""
    rows: list[Finding] = field(default_factory=list)

    @property
    def order(self) -> tuple[object, ...]:
        """Unexpected before expected, the gravest first; among what is as grave, what deletes before what changes
        before what reads, and what is new first."""
        return (self.is_expected, self.gravity, self.meant, self.touch, not self.new, self.first, self.id)


@dataclass(frozen=True)
class Finding:
    """A finding that is read here, and the rows of the same event under other requirements. `through` says of a call of
    root who may have made it."""

    row: Row
    also: tuple[Row, ...] = ()
    through: str = ""


@dataclass
class Headline:
    """The lines of a requirement that one actor caused with one outcome, the gravest first."""

    requirement: str
    actor: str
    account: str
    outcome: str
    is_expected: bool
    lines: list[Line]

    @property
    def count(self) -> int:
        """How many findings its lines have."""
        return sum(line.count for line in self.lines)

    @property
    def order(self) -> tuple[object, ...]:
        """That of its first line."""
        return self.lines[0].order

    @property
    def id(self) -> str:
        """A name that stays the same from run to run, for links."""
        return _id(self.requirement, self.actor, self.account, self.outcome, str(self.is_expected))


@dataclass(frozen=True)
class Grouped:
    """A day's findings: the headlines of each requirement, and what is read elsewhere: findings that a requirement has
    of events that are read under another, by that other. `expected_elsewhere` are those of them that are expected where
    they are not read."""

    headlines: dict[str, list[Headline]]
    elsewhere: dict[str, dict[str, int]]
    before: Seen = field(default_factory=Seen)
    expected_elsewhere: dict[str, dict[str, int]] = field(default_factory=dict)

    def in_order(self) -> list[Headline]:
        """The headlines of all requirements, the gravest first."""
        return sorted(chain.from_iterable(self.headlines.values()), key=lambda headline: headline.order)

    def lines(self) -> list[Line]:
        """All lines, the gravest first."""
        return sorted((line for headline in self.in_order() for line in headline.lines), key=lambda line: line.order)


_Key = tuple[object, ...]


@dataclass
class _Seen:
    """A finding as it is kept until all are known; `row` is None where only its number is."""

    line: Line
    event: bytes | None
    time: str
    origin: str
    resource: str
    session: str
    region: str
    row: Row | None


def group(findings: Mapping[str, Iterable[Row]], before: Seen | None = None) -> Grouped:
    """Groups the findings of each requirement: the rows of findings/<requirement>.csv, each gone through once.

    `before` is what was seen in the days before, so that what is new is marked.
    """
    lines: dict[_Key, Line] = {}
    seen: list[_Seen] = []
    best: dict[bytes, int] = {}  # the finding under which an event is read
    kept = 0
    for requirement, rows in findings.items():
        for row in rows:
            line = _line(lines, requirement, row)
            is_kept = line.count < _FIRST_OF_A_LINE or (not line.is_expected and kept < _MOST_ROWS)
            kept += is_kept
            line.count += 1
            event = _event(row)
            seen.append(
                _Seen(
                    line, event, row.get("event_time", ""), _shared(row.get("source_ip", "")),
                    _shared(row.get("resource", "")), _shared(session_of(row)), _shared(row.get("aws_region", "")),
                    row if is_kept else None,
                )
            )  # fmt: skip
            if event is not None:
                other = best.setdefault(event, len(seen) - 1)
                if _reading(line) < _reading(seen[other].line):
                    best[event] = len(seen) - 1
    return _grouped(list(findings), lines, seen, best, before or Seen())


def _grouped(
    requirements: list[str], lines: dict[_Key, Line], seen: list[_Seen], best: dict[bytes, int], before: Seen
) -> Grouped:
    elsewhere: dict[str, dict[str, int]] = {requirement: {} for requirement in requirements}
    expected_elsewhere: dict[str, dict[str, int]] = {requirement: {} for requirement in requirements}
    also: dict[int, list[Row]] = {}
    for line in lines.values():
        line.count = 0
    for number, one in enumerate(seen):
        place = number if one.event is None else best[one.event]
        if place != number:
            read = seen[place].line
            for counted in (elsewhere, expected_elsewhere)[: 1 + one.line.is_expected]:
                of_requirement = counted[one.line.requirement]
                of_requirement[read.requirement] = of_requirement.get(read.requirement, 0) + 1
            read.also[one.line.requirement] += 1
            if one.row is not None:
                also.setdefault(place, []).append(one.row)
            read.flags.update(one.line.flags)
            continue
        line = one.line
        line.count += 1
        line.first = min(line.first or one.time, one.time)
        line.last = max(line.last, one.time)
        line.origins[one.origin] += 1
        line.resources[one.resource] += 1
        line.sessions[one.session] += 1
        line.regions[one.region] += 1
        line.hours[one.time[11:13]] += 1
    assumed = [call for one in seen if one.row is not None and (call := _assumed_root(one.row))]
    for number, one in enumerate(seen):
        if one.row is not None and (one.event is None or best[one.event] == number):
            through = _through(one.row, assumed) if assumed else ""
            one.line.rows.append(Finding(one.row, tuple(also.get(number, ())), through))
    for line in lines.values():
        if through := next((finding.through for finding in line.rows if finding.through), ""):
            line.text += f", {through}"
        line.new = before.new(line.who, line.call, line.origins, line.regions)
        line.since = before.since(line.who, line.call)
    headlines: dict[str, dict[_Key, Headline]] = {requirement: {} for requirement in requirements}
    for line in sorted((line for line in lines.values() if line.count), key=lambda line: line.order):
        key = (line.actor, line.account, line.outcome, line.is_expected)
        of_headline = headlines[line.requirement]
        if key not in of_headline:
            of_headline[key] = Headline(line.requirement, *key, [])
        of_headline[key].lines.append(line)
    ordered = {name: sorted(found.values(), key=lambda it: it.order) for name, found in headlines.items()}
    return Grouped(ordered, elsewhere, before, expected_elsewhere)


def _reading(line: Line) -> tuple[object, ...]:
    return (line.is_expected, line.gravity)


def _line(lines: dict[_Key, Line], requirement: str, row: Row) -> Line:
    actor, outcome = actor_of(row), row.get("outcome", "")
    is_expected = row.get("is_expected") == "true"
    account = row.get("principal_account_id") or row.get("aws_account_id", "")
    resource = resource_kind(row.get("resource", ""))
    meant, touch = meant_of(requirement, row), touch_of(row)
    gravity = gravity_of(meant, row)
    key = (
        requirement, actor, account, outcome, row.get("event_source", ""), row.get("event_name", ""),
        row.get("error_code", ""), resource, row.get("title", ""), is_expected,
        row.get("expected_line") if is_expected else "", gravity, meant, touch,
        row.get("mfa_authenticated") == "false",
    )  # fmt: skip
    if key not in lines:
        lines[key] = Line(
            requirement, actor, account, outcome, row.get("event_name", ""), row.get("error_code", ""), resource,
            is_expected, row.get("expected_line", "") if is_expected else "", gravity, meant, touch,
            sentence(row, actor, resource if resource != "…" else ""), _id(*map(str, key)),
            actor_key(row), event_key(row),
        )  # fmt: skip
    lines[key].flags.update(flags_of(row))
    return lines[key]


@dataclass(frozen=True)
class _AssumedRoot:
    """A session of root in another account that somebody was given."""

    time: datetime
    accounts: frozenset[str]
    origin: str
    actor: str


def _assumed_root(row: Row) -> _AssumedRoot | None:
    if row.get("event_name") != "AssumeRoot" or row.get("outcome") != "success":
        return None
    time, target = _time(row), _target(row.get("request_parameters", ""))
    return _AssumedRoot(time, frozenset(target), row.get("source_ip", ""), actor_of(row)) if time else None


def _target(request_parameters: str) -> list[str]:
    """The account in which root was assumed, which is named by its id or its ARN."""
    try:
        found = json.loads(request_parameters)["targetPrincipal"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return re.findall(r"(?<!\d)\d{12}(?!\d)", str(found))


def _through(row: Row, assumed: list[_AssumedRoot]) -> str:
    """Who may have acted as root: the record of root's call doesn't name who was given the session."""
    is_root = row.get("principal_kind") == "root" and row.get("actor_is_service") != "true"
    time, origin = _time(row), row.get("source_ip", "")
    if not is_root or time is None or not origin or row.get("event_name") == "ConsoleLogin":
        return ""
    for call in assumed:
        is_before = call.time <= time <= call.time + _ROOT_FOR
        if is_before and call.origin == origin and row.get("aws_account_id", "") in call.accounts:
            return f"perhaps through AssumeRoot of {call.actor} at {call.time:%H:%M:%S}"
    return ""


def _time(row: Row) -> datetime | None:
    try:
        time = datetime.fromisoformat(row.get("event_time", ""))
    except ValueError:
        return None
    return time if time.tzinfo else None


def _event(row: Row) -> bytes | None:
    """The event of a finding in 16 bytes; None where the record has no id: then nobody can say that it is another's."""
    if not row.get("event_id"):
        return None
    parts = (row.get(name, "") for name in ("aws_account_id", "event_id", "event_time", "event_name"))
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest()


_texts: dict[str, str] = {}


def _shared(text: str) -> str:
    """One object for equal texts."""
    return _texts.setdefault(text, text) if len(_texts) < 100_000 else text


def _id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
