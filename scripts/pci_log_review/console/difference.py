"""What `diff` prints: what vanished first."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from rich.table import Table
from rich.text import Text

from ..common.text import printable
from ..difference.approvals import COLUMNS, FILE, line_for
from ..difference.compare import Difference, Example, counts
from ..difference.rows import KINDS
from ..difference.written import VERDICTS
from .findings import cut
from .reporter import _console

_SHOWN = 20  # notices of one kind, approvals, tests


def print_difference(difference: Difference) -> None:
    """The counts, examples, what is weaker, and at last what has to be approved."""
    console = _console()

    def tell(text: str) -> None:
        console.print(Text(printable(cut(text))))

    def tell_some(lines: Iterable[str]) -> None:
        told = list(lines)
        for line in told[:_SHOWN]:
            tell(line)
        if len(told) > _SHOWN:
            tell(f"  … and {len(told) - _SHOWN} more (--output)")

    console.print(_table(difference), soft_wrap=False)
    for kind, groups in groupby(difference.groups, key=lambda group: group.kind):
        tell(f"{kind.upper()}:")
        for group in groups:
            tell(f"  {group.label}: {group.count}")
            for row in group.examples:
                tell(f"    {_told(row)}")
            if group.count > len(group.examples):
                tell(f"    … and {group.count - len(group.examples)} more (--output)")
    for is_weaker, heading in ((True, "WEAKER than before:"), (False, "Other definitions that changed:")):
        notices = [notice for notice in difference.notices if notice.is_weaker == is_weaker]
        if notices:
            tell(heading)
        for what, of_kind in groupby(notices, key=lambda notice: notice.what):
            tell_some(f"  {what} {notice.name}: {notice.change}" for notice in of_kind)
    if difference.tests:
        tell("Tests that end in another way:")
        tell_some(f"  {test.name} {test.day}: {test.after}, was {test.before}" for test in difference.tests)
    for note in difference.notes:
        tell(f"Note: {note}")
    given = [one for one in difference.asked if not one.is_open]
    if given:
        tell("Approved:")
        tell_some(f"  {one.requirement} {one.event} {one.change} ({one.rows} rows): {one.approval}" for one in given)
    still_open = [one for one in difference.asked if one.is_open]
    article = [one for one in still_open if one.is_article]
    if article:
        tell("The article's queries return these: nobody can approve that they vanish.")
        tell_some(f"  {one.requirement} {one.event} ({one.rows} rows)" for one in article)
    if len(still_open) > len(article):
        tell(f"To approve, add to {FILE}, with a reason, a name and the day:")
        tell(f"  {','.join(COLUMNS)}")
        tell_some(f"  {line_for(one.requirement, one.event, one.change)}" for one in still_open if not one.is_article)
    tell(VERDICTS[difference.exit])


def _table(difference: Difference) -> Table:
    logs = difference.logs
    table = Table(
        title=f"{printable(difference.base)} ({difference.commit[:12]}) and the working tree, "
        f"logs of {logs.first} to {logs.last}",
        title_justify="left",
        title_style="bold",
    )
    table.add_column("Rows of", no_wrap=True)
    for heading in (*KINDS, "unchanged"):
        table.add_column(heading.capitalize(), justify="right")
    for label, count in counts(difference).items():
        table.add_row(Text(printable(label)), *(str(it) if it else "" for it in count.values()))
    return table


def _told(row: Example) -> str:
    if row.columns:
        return f"{row.run_date} {row.event}: {row.columns}: {row.before} → {row.after}"
    return f"{row.run_date} {row.event}: {row.title}. {row.detail}" if row.title else f"{row.run_date} {row.event}"
