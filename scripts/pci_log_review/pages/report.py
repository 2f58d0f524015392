"""report.html: a day's review as people read it, made of the day's evidence alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from ..evidence.manifest import Conclusion, State
from .folding import Row
from .gravity import WORDS, Gravity
from .grouping import OUTCOMES, Grouped, Headline, Line, group
from .html import counted, render
from .lateness import Lateness
from .novelty import SEEN, read_seen
from .packed import approved, pack

NAME = "report.html"
# columns that an earlier version did not write
_REVIEW = dict.fromkeys(
    (
        *("expected_findings", "pci_dss_v4_0_1", "pci_dss_v3_2_1", "settings_gap"),
        *("regions_with_logs", "regions_in_scope", "log_files", "events"),
    ),
    "",
)
_TREND_DAYS = 30
_USUAL_DAYS = 7  # fewer say nothing of what is usual
_SHOWN_FIRST = 25  # lines of each gravity
_SHOWN_ALWAYS = 300  # of what root did and of changes to audit logs: a page has an end
_SHOWN_EXPIRED = 10
_SHOWN_LINES = 150  # of a requirement, in the page without its script
_SHOWN_TEXTS = 4


@dataclass(frozen=True)
class Material:
    """What the page is made of: `rows` gives those of a CSV file of the day's evidence, by its name.

    `reviewed` is when the run began. `files` are the names of those that lie beside the page, to which it may lead;
    there are none where it lies elsewhere. `trend` has for days before, where they were reviewed, the number of
    findings and of unexpected ones by requirement. `written` says of a page that is not sealed with the day that it is
    not, and what it was made of; `signed` who signed the day, where that is known.
    """

    conclusion: Conclusion
    rows: Callable[[str], Iterator[Row]]
    reviewed: datetime
    files: frozenset[str] = frozenset()
    trend: Mapping[date, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    written: str | None = None
    signed: str = ""


def report(material: Material) -> bytes:
    """The page as HTML. Raises ValueError where the tables contradict the conclusion."""
    conclusion = material.conclusion
    is_failed = conclusion.state is State.FAILED
    review: list[Row] = [] if is_failed else [{**_REVIEW, **row} for row in material.rows("daily_review.csv")]
    coverage = [] if is_failed else list(material.rows("log_coverage.csv"))
    approvals = {} if is_failed else {row["line_id"]: row for row in material.rows("expected_lines.csv")}
    findings = {row["requirement"]: material.rows(f"findings/{row['requirement']}.csv") for row in review}
    grouped = group(findings, read_seen([] if is_failed else material.rows(SEEN)))
    lines = grouped.lines()
    if told := _contradiction(conclusion, grouped):
        raise ValueError(told)
    packed = pack(lines, approvals)
    first = _first(lines)
    shown = {line.id for kinds in first for line in kinds.lines}
    return render(
        "report.html",
        "page.css",
        "report.js",
        day=conclusion.run_date,
        conclusion=conclusion,
        material=material,
        review=review,
        reviewed=Lateness.of(conclusion.run_date, material.reviewed),
        sections=[_section(row, grouped, approvals, shown) for row in review],
        first=first,
        expired=[row for row in approvals.values() if row.get("status") == "expired"][: _SHOWN_EXPIRED + 1],
        shown_expired=_SHOWN_EXPIRED,
        unexpected=sum(conclusion.unexpected_findings.values()),
        expected=sum(conclusion.findings.values()) - sum(conclusion.unexpected_findings.values()),
        events=sum(line.count for line in lines if not line.is_expected),
        in_all=sum(line.count for line in lines),
        accounts=sorted({line.account for line in lines if line.account}),
        names={row["account_id"]: row["account_name"] for row in coverage if row.get("account_name")},
        actors=sorted({line.actor for line in lines}),
        has_new=any(line.new for line in lines),
        before=grouped.before,
        coverage=_coverage(coverage),
        hours=_hours(lines),
        trend=_trend(material, review),
        words=WORDS,
        outcomes=OUTCOMES,
        packed=packed,
        most=most,
        approved=approved,
        counted=counted,
        files=material.files,
        page=NAME,
        clock=clock,
    )


def _contradiction(conclusion: Conclusion, grouped: Grouped) -> str | None:
    """Where the tables have other numbers of findings than the conclusion: no page may then say how many there are."""
    for requirement, count in conclusion.findings.items():
        own = sum(headline.count for headline in grouped.headlines.get(requirement, []))
        found = own + sum(grouped.elsewhere.get(requirement, {}).values())
        if found != count:
            return f"{requirement} has {found} findings in its table and {count} in the conclusion"
    return None


@dataclass(frozen=True)
class First:
    """Lines of one gravity that are to be looked at first: those that are named, and how many others there are."""

    gravity: Gravity
    lines: list[Line]
    others: Counter[str]


def _first(lines: list[Line]) -> list[First]:
    """What is grave and was done, then what was only tried, each by what it is or would have been; what is marked, and
    no more is known of it, comes last.
    """
    found: dict[tuple[bool, bool, Gravity], First] = {}
    for line in lines:
        if line.is_expected or line.gravity > Gravity.TRIED:
            continue
        key = (line.meant is Gravity.FLAGGED, line.gravity is Gravity.TRIED, line.meant)
        kinds = found.setdefault(key, First(line.gravity, [], Counter()))
        most_shown = _SHOWN_ALWAYS if line.meant in (Gravity.ROOT, Gravity.LOGS) else _SHOWN_FIRST
        if len(kinds.lines) < most_shown:
            kinds.lines.append(line)
        else:
            kinds.others[line.requirement] += 1
    return [found[key] for key in sorted(found)]


# a headline, and its lines with the approval of each that is expected
_Told = tuple[Headline, list[tuple[Line, Row | None]]]


@dataclass(frozen=True)
class Section:
    """A requirement's part of the page."""

    row: Row
    unexpected: list[_Told]
    expected: list[_Told]
    elsewhere: dict[str, int]
    expected_elsewhere: dict[str, int]
    left_out: int


def _section(row: Row, grouped: Grouped, approvals: Mapping[str, Row], always: set[str]) -> Section:
    """The part of a requirement; `always` are the ids of lines to which another place of the page leads."""
    headlines = grouped.headlines[row["requirement"]]
    shown = 0
    unexpected: list[_Told] = []
    expected: list[_Told] = []
    for headline in headlines:
        room = max(_SHOWN_LINES - shown, 0)
        lines = [line for place, line in enumerate(headline.lines) if place < room or line.id in always]
        shown += len(lines)
        with_approval = [(line, approvals.get(line.expected_line)) for line in lines]
        if lines:
            (expected if headline.is_expected else unexpected).append((headline, with_approval))
    left_out = sum(len(headline.lines) for headline in headlines) - shown
    name = row["requirement"]
    return Section(row, unexpected, expected, grouped.elsewhere[name], grouped.expected_elsewhere[name], left_out)


def most(texts: Counter[str]) -> str:
    """The most frequent texts, and how many others there are."""
    shown = [text[:200] or "not recorded" for text, _ in texts.most_common(_SHOWN_TEXTS)]
    rest = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest > 0 else "")


def clock(time: str, day: date) -> str:
    """The time of the day; with its date, where that is not the day under review."""
    if not time:
        return "time not recorded"
    of_day, _, hour = time.partition("T")
    return hour.removesuffix("Z") if of_day == day.isoformat() else f"{of_day} {hour.removesuffix('Z')}"


_MARKS = {
    "logs": ("ok", "●"),
    "quiet, proved by digests": ("ok", "○"),
    "quiet, may be": ("quiet", "·"),
    "missing": ("bad", "✕"),
    "out of scope": ("bad", "!"),
}


@dataclass(frozen=True)
class Coverage:
    """A table of accounts x regions: of regions without logs or gaps anywhere only the number is told."""

    regions: list[str]
    accounts: list[tuple[str, str, list[tuple[str, str, str]]]]
    quiet: int


def _coverage(rows: list[Row]) -> Coverage:
    loud = [row for row in rows if row["status"] != "quiet, may be" or row["gap"]]
    regions = sorted({row["region"] for row in loud})
    cells = {(row["account_id"], row["region"]): row for row in rows}
    names = {row["account_id"]: row["account_name"] for row in rows}
    accounts = [
        (account, names[account], [_cell(cells.get((account, region))) for region in regions])
        for account in sorted(names)
    ]
    return Coverage(regions, accounts, len({row["region"] for row in rows}) - len(regions))


def _cell(row: Row | None) -> tuple[str, str, str]:
    if row is None:
        return ("", "", "not in scope")
    style, mark = _MARKS.get(row["status"], ("bad", "?"))
    if row["gap"]:
        return ("bad", "✕", row["gap"])
    said = f"{counted(row['log_files'], 'log file')}, {counted(row['events'], 'event')}"
    return (style, mark, f"{row['status']}: {said}")


def _hours(lines: list[Line]) -> list[tuple[str, int, int]]:
    """For each hour the unexpected and the expected events; one of another date stands in its hour."""
    found: dict[str, list[int]] = {f"{hour:02}": [0, 0] for hour in range(24)}
    for line in lines:
        for hour, count in line.hours.items():
            if hour in found:
                found[hour][line.is_expected] += count
    return [(hour, unexpected, expected) for hour, (unexpected, expected) in found.items()]


@dataclass(frozen=True)
class Trend:
    """A requirement's findings of the last days; None where the day was not reviewed."""

    requirement: str
    days: list[tuple[date, int | None]]
    most: int
    is_unusual: bool


def _trend(material: Material, review: list[Row]) -> list[Trend]:
    day = material.conclusion.run_date
    found = []
    for row in review:
        name = row["requirement"]
        before = [
            (day - timedelta(number), material.trend.get(day - timedelta(number), {}).get(name, (None, None))[1])
            for number in range(_TREND_DAYS - 1, 0, -1)
        ]
        today = material.conclusion.unexpected_findings.get(name)
        known = sorted(count for _, count in before if count is not None)
        # twice what nine days of ten had, and not by a handful
        usual = known[int(len(known) * 0.9)] if len(known) >= _USUAL_DAYS else None
        is_unusual = usual is not None and today is not None and today > 2 * usual + 5
        days = [*before, (day, today)]
        found.append(Trend(name, days, max([*(count or 0 for _, count in days), 1]), is_unusual))
    return found if material.trend else []
