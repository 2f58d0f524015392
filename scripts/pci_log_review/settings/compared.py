"""The lines of the settings that make a review see more: none may go without a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from .checks import COMPARED, FILES
from .rows import Row, rows_in
from .scope import each_region

Line = tuple[str, str]  # of setting and what it says

# What only describes a line; without it, the line says the same
_LABELS = {"description", "account_name", "in_cde", "reason", "approved_by", "approved_on", "expires_on"}

# What tells the lines of a file of the catalogue apart; a title may be put in other words
_CATALOGUE = {
    "reviewed_events": ("requirement", "event_source", "event_name", "applies_to", "flag"),
    "reviewed_changes": ("requirement", "event_source", "event_name", "request_members", "flag"),
    "refusal_error_codes": ("error_code",),
}


def compared_lines(text_of: Callable[[str], str], regions: Mapping[str, str]) -> set[Line]:
    """Every line that a later review must have too, whatever its order and format.

    `text_of` gives the content of a setting's file, and an empty text where there is none; `regions` are those of the
    catalogue, with their partitions. Of trail_scope it is the accounts and regions in scope that count, and those of
    which logs are expected daily.
    """
    lines = {("trail_scope", line) for line in _scope(rows_in(text_of("trail_scope")), regions)}
    for setting in set(COMPARED) - {"trail_scope"}:
        columns = list(FILES[setting])
        for row in rows_in(text_of(setting)):
            if row.get("trail", "any"):  # a line without one expects nothing
                # an earlier version's file may have other columns: then its lines are others, too
                names = sorted(row, key=lambda name: columns.index(name) if name in columns else -1)
                lines.add((setting, " ".join(row[name] for name in names if name not in _LABELS)))
    return lines


def covered_lines(text_of: Callable[[str], str]) -> set[Line]:
    """The lines of the catalogue that a later review must have too: which events are reviewed, and which error codes
    mean a refusal. `text_of` gives the content of a file of the catalogue.
    """
    return {
        (name, " ".join(row[column] for column in columns if row[column]))
        for name, columns in _CATALOGUE.items()
        for row in rows_in(text_of(name))
    }


def is_kept(line: Line, today: set[Line]) -> bool:
    """Whether today's lines say the same, or more: a trail that is expected earlier, or in more places."""
    if line in today:
        return True
    setting, text = line
    if setting != "digest_trails":
        return False
    *trail, account_id, region, since = text.split(" ")
    others = [its_text.split(" ") for other, its_text in today if other == setting]
    return any(
        its_trail == trail and its_account in ("*", account_id) and its_region in ("*", region) and its_since <= since
        for *its_trail, its_account, its_region, its_since in others
    )


def approved(settings_changes: str) -> Callable[[Line, date], bool]:
    """Whether a line of settings_changes.csv, whose content is given, says why a line is gone that was last seen on a
    day. One that is older says nothing of it. `*` stands for every line of a setting, or for the rest of one.
    """
    rows = rows_in(settings_changes)

    def is_approved(line: Line, last_seen: date) -> bool:
        setting, text = line
        return any(
            row["setting"] == setting and row["changed_on"] >= last_seen.isoformat() and _matches(row["left_out"], text)
            for row in rows
        )

    return is_approved


def _matches(left_out: str, text: str) -> bool:
    return left_out == text or (f" {left_out}".endswith(" *") and text.startswith(left_out[:-1]))


def _scope(rows: list[Row], regions: Mapping[str, str]) -> set[str]:
    expected = {
        (row["account_id"], region): row["logs_expected"]
        # a line that names the region wins
        for row, region in each_region(sorted(rows, key=lambda row: row["region"] != "*"), regions)
    }
    pairs = {f"{account_id} {region}" for account_id, region in expected}
    return pairs | {f"{account_id} {region} daily" for (account_id, region), it in expected.items() if it == "daily"}
