"""Writes a difference for a pull request (Markdown), for machines (JSON), and every row of it (CSV)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from ..common.text import printable
from ..evidence.tables import TableWriter
from .approvals import COLUMNS, FILE, line_for
from .compare import Asked, Difference, DiffExit, Group, counts
from .rows import KINDS, Changes

# A comment on GitHub may have 65,536 characters
_LONGEST_COMMENT = 60_000
_LONGEST_TEXT = 240
_SHOWN = 20  # notices of one kind, approvals that are asked for, tests

VERDICTS = {
    DiffExit.NOTHING: "Nothing changed in the evidence.",
    DiffExit.CHANGED: "Something changed; nothing vanished or became expected without approval.",
    DiffExit.UNAPPROVED: "NOT APPROVED: something vanished, or became expected.",
}


def write_difference(difference: Difference, changes: Changes, folder: Path) -> None:
    """Writes diff.md, diff.json and rows.csv into the folder. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "diff.md").write_text(markdown(difference), encoding="utf-8")
    about = asdict(difference) | {"exit": int(difference.exit), "counts": counts(difference)}
    (folder / "diff.json").write_text(json.dumps(about, indent=2, default=str) + "\n", encoding="utf-8")
    order = " ".join(f"when '{kind}' then {number}" for number, kind in enumerate(KINDS))
    rows = changes.connection.execute(
        f"select * from changes order by case kind {order} end, relation, run_date, event, event_time, event_id, after"
    ).to_arrow_table()
    with TableWriter() as tables:
        tables.csv(folder / "rows.csv", rows)


def markdown(difference: Difference) -> str:
    """The difference as a comment of at most 60,000 characters: counts, and the first rows."""
    lines: list[str] = []
    length = 0
    for line in _markdown(difference):
        length += len(line) + 1
        if length > _LONGEST_COMMENT:
            lines.append("\n… the rest is in diff.json and rows.csv.")
            break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _markdown(difference: Difference) -> Iterator[str]:
    logs = difference.logs
    yield f"### Evidence that this change changes\n\n**{VERDICTS[difference.exit]}**\n"
    yield (
        f"Base {_code(difference.base)} ({difference.commit[:12]}), the logs of {logs.first} to {logs.last}, "
        "everything built twice.\n"
    )
    yield from _asked(difference.asked)
    yield "| | " + " | ".join((*KINDS, "unchanged")) + " |"
    yield "|---|" + "---:|" * (len(KINDS) + 1)
    for label, count in counts(difference).items():
        yield (
            f"| {_code(label)} | "
            + " | ".join(f"**{it}**" if it and name in KINDS else str(it) for name, it in count.items())
            + " |"
        )
    for kind, groups in groupby(difference.groups, key=lambda group: group.kind):
        yield f"\n#### {kind.capitalize()}\n"
        for group in groups:
            yield from _group(group)
    yield from _notices(difference)
    if difference.tests:
        yield "\n#### Tests that end in another way\n"
        for test in difference.tests[:_SHOWN]:
            yield f"- {_code(test.name)} {test.day}: **{test.after}**, was {test.before}"
        yield from _rest(len(difference.tests))
    for note in difference.notes:
        yield f"\n{_code(note)}"


def _asked(asked: list[Asked]) -> Iterator[str]:
    still_open = [one for one in asked if one.is_open and not one.is_article]
    if still_open:
        yield f"To approve, add to `{FILE}`, in this pull request, with a reason, a name and the day:\n"
        yield f"```csv\n{','.join(COLUMNS)}"
        yield from (_plain(line_for(one.requirement, one.event, one.change)) for one in still_open[:_SHOWN])
        yield "```"
        yield from _rest(len(still_open))
    article = [one for one in asked if one.is_article]
    if article:
        yield "\nThe article's queries return these: **nobody can approve that they vanish**.\n"
        yield from (f"- {_code(one.requirement)} {_code(one.event)} ({one.rows} rows)" for one in article[:_SHOWN])
        yield from _rest(len(article))
    given = [one for one in asked if not one.is_open]
    if given:
        yield "\nApproved:\n"
        for one in given[:_SHOWN]:
            what = f"{_code(one.requirement)} {_code(one.event)} {one.change} ({one.rows} rows)"
            yield f"- {what}: {_code(one.approval or '')}"
        yield from _rest(len(given))
    yield ""


def _group(group: Group) -> Iterator[str]:
    yield f"**{_code(group.label)}: {group.count}**\n"
    yield "| day | event | what |\n|---|---|---|"
    for row in group.examples:
        what = f"{row.title}. {row.detail}" if row.title else row.event
        if row.columns:
            what = f"{row.columns}: {row.before} → {row.after}" + (f" ({row.title})" if row.title else "")
        yield f"| {row.run_date} | {_code(row.event)} | {_code(what)} |"
    if group.count > len(group.examples):
        yield f"\n… and {group.count - len(group.examples)} more in rows.csv"
    yield ""


def _notices(difference: Difference) -> Iterator[str]:
    for is_weaker, heading in ((True, "Weaker than before"), (False, "Other definitions that changed")):
        notices = [notice for notice in difference.notices if notice.is_weaker == is_weaker]
        if notices:
            yield f"\n#### {heading}\n"
        for what, group in groupby(notices, key=lambda notice: notice.what):
            listed = list(group)
            for notice in listed[:_SHOWN]:
                yield f"- {what} {_code(notice.name)}: {_code(notice.change)}"
            yield from _rest(len(listed))


def _rest(count: int) -> Iterator[str]:
    if count > _SHOWN:
        yield f"- … and {count - _SHOWN} more in diff.json"


def _plain(text: str) -> str:
    """For a fenced block, that no text may end."""
    return printable(text).replace("`", "'")[:_LONGEST_TEXT]


def _code(text: str) -> str:
    """Text that others chose, in Markdown: nothing in it is markup, links, or names somebody."""
    shown = printable(text)
    if len(shown) > _LONGEST_TEXT:
        shown = f"{shown[:_LONGEST_TEXT]} …"
    escaped = re.sub(r"[^\w\s,.()/=+→-]|_", lambda found: f"&#{ord(found.group())};", shown)
    return f"<code>{escaped}</code>"
