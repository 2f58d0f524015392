"""A day's findings in the terminal: headlines and their lines, the gravest first; and one event as it is sealed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ..common.errors import UsageError
from ..common.text import printable
from ..pages.folding import Row
from ..pages.grouping import OUTCOMES, Grouped, Headline, Line
from ..pages.visible import visible

_LONGEST_LINE = 400
_SHOWN_ORIGINS = 3
_IN_MESSAGES = 20  # lines


def print_findings(grouped: Grouped, where: str, tell: Callable[[str], None]) -> None:
    """Every headline, and every line of those that nobody expected; `where` is the folder of the day's evidence."""
    headlines = grouped.in_order()
    accounts = {headline.account for headline in headlines}
    for headline in headlines:
        tell(_headline(headline, is_named=len(accounts) > 1))
        for line in [] if headline.is_expected else headline.lines:
            tell(cut(f"    {_line(line)}"))
    for requirement, others in grouped.elsewhere.items():
        counted = ", ".join(f"{count} under {other}" for other, count in others.items())
        if counted:
            tell(f"{requirement}: further findings of events that stand above: {counted}")
    if headlines:
        tell(grouped.before.told)
        tell(f"Each finding: {where}/findings/; one event: pci-log-review show DAY --event ID")


def for_messages(grouped: Grouped) -> list[str]:
    """The gravest lines of the findings that nobody expected, for a message, and how many findings are not in them."""
    lines = [line for line in grouped.lines() if not line.is_expected]
    shown = [f"{it.requirement}: {it.count} x {_short(visible(it.text))}" for it in lines[:_IN_MESSAGES]]
    rest = sum(it.count for it in lines[_IN_MESSAGES:])
    return [*shown, *([f"… and {rest} more findings"] if rest else [])]


def _headline(headline: Headline, *, is_named: bool) -> str:
    mark = "expected" if headline.is_expected else "UNEXPECTED"
    actor = f"{headline.actor} ({headline.account})" if is_named and headline.account else headline.actor
    outcome = OUTCOMES.get(headline.outcome, headline.outcome or "outcome not recorded")
    lines = len(headline.lines)
    kinds = f" in {lines} kinds" if lines > 1 else ""
    return cut(f"{mark} {headline.requirement} {visible(actor)}, {outcome}: {headline.count}{kinds}")


def _line(line: Line) -> str:
    times = line.first if line.first == line.last else f"{line.first} to {line.last}"
    said = [f"{line.count} x {_short(visible(line.text))}", times, f"from {_first(line.origins)}"]
    if "…" in line.resource:
        said.append(f"on {_first(line.resources)}")
    if line.flags:
        said.append(f"[{', '.join(sorted(line.flags))}]")
    if line.also:
        said.append(f"also under {', '.join(line.also)}")
    if line.new:
        said.append(f"NEW: {visible(', '.join(line.new))}")
    event = line.rows[0].row.get("event_id") if line.rows else ""
    return "; ".join([*said, f"event {visible(event)}" if event else "without an event id"])


def _first(counted: Counter[str]) -> str:
    """The most frequent of the texts, each short, and how many there are besides."""
    shown = [_short(visible(text), 100) or "not recorded" for text, _ in counted.most_common(_SHOWN_ORIGINS)]
    rest = len(counted) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def print_event(findings: Mapping[str, Iterable[Row]], event_id: str, tell: Callable[[str], None]) -> None:
    """Each finding of the event, field by field. Raises UsageError where the day has none."""
    is_found = False
    for requirement, rows in findings.items():
        for row in rows:
            if row.get("event_id") == event_id:
                is_found = True
                tell(f"{requirement}: {visible(row.get('title', ''))}")
                for name, value in row.items():
                    if value and name not in ("requirement", "title"):
                        _tell_field(name, value, tell)
    if not is_found:
        raise UsageError(f"the day has no finding of an event {printable(event_id)!r}")


def _tell_field(name: str, value: str, tell: Callable[[str], None]) -> None:
    try:
        text = json.dumps(json.loads(value), indent=2, ensure_ascii=False) if value[:1] in "{[" else value
    except (ValueError, RecursionError):
        text = value
    first, *others = text.split("\n")
    tell(f"  {name}: {visible(first)}")
    for other in others:
        tell(f"    {visible(other)}")


def cut(line: str) -> str:
    """The writer of a log can put a megabyte into one field; the event's id stands at the end of a line."""
    if len(line) <= 3 * _LONGEST_LINE:
        return line
    return f"{line[: 2 * _LONGEST_LINE]} … ({len(line)} characters) … {line[-_LONGEST_LINE // 2 :]}"


def _short(text: str, longest: int = _LONGEST_LINE) -> str:
    return text if len(text) <= longest else f"{text[:longest]} … ({len(text)} characters)"
