"""Checks a settings folder before anything runs: each fault is one line with the file and the line number."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

from ..common import clock
from ..common.errors import Fault
from ..common.files import read_regular
from ..common.project import needed_settings, requirements
from . import principals
from .rows import read_rows

Check = Callable[[str], str | None]


def _fault(path: Path, line: int, text: str) -> Fault:
    return Fault(f"{path.name}, line {line}", text)


def _text(value: str) -> str | None:
    return None if value else "is empty"


def _anything(_: str) -> str | None:
    return None


def _narrow_pattern(value: str) -> str | None:
    if value and not value.strip("%"):
        return f"{value!r} would match everything"
    return _text(value)


def _bucket(value: str) -> str | None:
    name = re.sub(r"^arn:[^:]*:s3:::", "", value)
    bucket, slash, _ = name.partition("/")
    if slash and not name.startswith("arn:"):  # of an access point
        return f"{value!r} would match nothing: a store is a whole bucket; write {bucket}"
    return None


def _matching(expression: str, hint: str) -> Check:
    pattern = re.compile(expression)
    return lambda value: None if pattern.fullmatch(value) else f"{value!r} is not {hint}"


def _one_of(*values: str) -> Check:
    return lambda value: None if value in values else f"{value!r} is not one of: {', '.join(values)}"


def _day(value: str) -> str | None:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value) and date.fromisoformat(value):
            return None
    except ValueError:
        pass
    return f"{value!r} is not a date; write it as 2026-11-22"


def _past_day(value: str) -> str | None:
    if fault := _day(value):
        return fault
    return f"{value} is yet to come" if date.fromisoformat(value) > clock.today() else None


def _needed_file(value: str) -> str | None:
    return _one_of(*needed_settings())(value)


def _requirement(pattern: str) -> str | None:
    expression = re.compile("".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern))
    known = requirements()
    if any(expression.fullmatch(requirement) for requirement in known):
        return None
    return f"{pattern!r} matches no requirement; they are: {', '.join(known)}"


_account = _matching(r"[0-9]{12}", "an account id of 12 digits")
_region = _matching(r"\*|[a-z][a-z0-9]*(-[a-z0-9]+)+", "a region such as eu-west-1, or *")
_any_account = _matching(r"\*|[0-9]{12}", "an account id of 12 digits, or *")
_any_trail = _matching(r"|[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]", "the name of a trail (its ARN ends in it)")
_home_region = _matching(r"|[a-z][a-z0-9]*(-[a-z0-9]+)+", "a region such as eu-west-1")
_service = _matching(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?", "a service such as s3.amazonaws.com")


def is_account(name: str) -> bool:
    """Whether it is an account id."""
    return _account(name) is None


def is_region(name: str) -> bool:
    """Whether it is the name of a region."""
    return name != "*" and _region(name) is None


# Those whose lines may not go without a line in settings_changes that says why: each makes the review see more
COMPARED = (
    "trail_scope",
    "cardholder_data_stores",
    "audit_log_stores",
    "administrators",
    "administrative_grants",
    "digest_trails",
)
# The same of what the product reviews: the requirements, and the catalogue's files
COVERED = ("requirements", "reviewed_events", "reviewed_changes", "refusal_error_codes")
# Every settings file, its columns, and the check of each cell
FILES: dict[str, dict[str, Check]] = {
    "trail_scope": {
        "account_id": _account,
        "account_name": _anything,
        "region": _region,
        "in_cde": lambda value: _one_of("true", "false")(value.lower()),
        "logs_expected": _one_of("daily", "may be quiet"),
    },
    "cardholder_data_stores": {"event_source": _service, "name": _narrow_pattern, "description": _anything},
    "audit_log_stores": {"event_source": _service, "name": _narrow_pattern, "description": _anything},
    "administrators": {
        "principal_kind": _one_of(*principals.ADMINISTRATOR_KINDS),
        "principal_account": principals.account,
        "principal_name": _narrow_pattern,
        "description": _anything,
    },
    "administrative_grants": {"name": _narrow_pattern, "description": _anything},
    "expected_activity": {
        "requirement": _requirement,
        "principal_kind": _one_of(*principals.KINDS),
        "principal_account": principals.account,
        "principal_name": _text,
        "source_networks": principals.networks,
        "event_source": principals.service,
        "event_name": principals.event,
        "resource": principals.resource,
        "reason": _text,
        "approved_by": _text,
        "approved_on": _day,
        "expires_on": _day,
    },
    "nothing_to_list": {
        "settings_file": _needed_file,
        "reason": _text,
        "approved_by": _text,
        "approved_on": _past_day,
    },
    "digest_trails": {
        "trail": _any_trail,
        "home_region": _home_region,
        "account_id": _any_account,
        "region": _region,
        "since": _past_day,
        "reason": _anything,
        "approved_by": _anything,
    },
    "settings_changes": {
        "changed_on": _past_day,
        "setting": _one_of(*COMPARED, *COVERED, "digests"),
        "left_out": _text,
        "reason": _text,
        "approved_by": _text,
    },
}
# A folder of settings may lack these, as an earlier version's does: then they have no line
OPTIONAL = ("nothing_to_list", "digest_trails", "settings_changes")


_LINE_CHECKS = {
    "administrators": principals.administrator_faults,
    "expected_activity": principals.expected_faults,
}


def check_settings(folder: Path, named: Path | None = None) -> list[Fault]:
    """Every fault in the settings in `folder`, in the order of files and lines; empty if there are none.

    `named` is the folder that the user named, where `folder` is a copy of it.
    """
    faults = [
        fault
        for name, columns in FILES.items()
        if name not in OPTIONAL or (folder / f"{name}.csv").exists()
        for fault in _check_file(folder / f"{name}.csv", columns, named or folder)
    ]
    return faults or list(_contradictions(folder))


def _contradictions(folder: Path) -> Iterator[Fault]:
    """What nothing_to_list calls empty and is not; the files are without other faults."""
    path = folder / "nothing_to_list.csv"
    if path.exists():
        for number, line in enumerate(read_rows(path), 2):
            name = line["settings_file"]
            if read_rows(folder / f"{name}.csv"):
                yield _fault(path, number, f"settings_file: {name}.csv has lines, so it is not true: take this one out")


def without_blank_end(content: bytes) -> bytes:
    """The content of a settings file without the lines at its end that are empty or, as Excel saves them, commas."""
    return re.sub(rb"(\r?\n)[,\s]*\Z", rb"\1", content)


def as_dbt_reads_it(name: str, content: bytes | None) -> bytes:
    """The content of the settings file `name` as it is used; None where there is no such file.

    Only the header is there, in today's form, of a file that may be missing, and of one without lines in the form of an
    earlier version. The settings have been checked.
    """
    nothing = f"{','.join(FILES[name])}\n".encode()
    if content is None:
        return nothing
    header = content.decode("utf-8-sig").strip().split(",")
    return nothing if header == principals.OLD_HEADERS.get(name) else content


def _check_file(path: Path, columns: dict[str, Check], named: Path) -> Iterator[Fault]:
    try:
        # dbt reads the file as UTF-8, with or without a byte order mark
        with io.StringIO(read_regular(path).decode("utf-8-sig"), newline="") as file:
            rows = csv.reader(file, strict=True)
            header = next(rows, [])
            if header == principals.OLD_HEADERS.get(path.stem):
                # one without lines says the same in either form
                if lines := list(rows):
                    yield from _as_it_reads_now(path, lines, columns)
                return
            yield from (_fault(path, 1, text) for text in _header_faults(header, list(columns)))
            if set(header) != set(columns):
                return
            seen: dict[tuple[str, ...], int] = {}
            for cells in rows:
                yield from (
                    _fault(path, rows.line_num, text) for text in _row_faults(path.stem, header, cells, columns)
                )
                key = tuple(cells)[:3:2] if path.stem == "trail_scope" else tuple(cells)
                if key in seen:
                    yield _fault(path, rows.line_num, f"repeats line {seen[key]}")
                seen.setdefault(key, rows.line_num)
    except FileNotFoundError:
        how = f"it may be empty except for its header: {','.join(columns)}"
        yield _fault(path, 1, f"there is no such file in {named}; {how}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        yield _fault(path, 1, f"cannot be read as CSV in UTF-8: {error}")


def _header_faults(header: list[str], columns: list[str]) -> Iterator[str]:
    yield from (f"unknown column {name!r}; it has: {', '.join(columns)}" for name in header if name not in columns)
    yield from (f"column {name!r} is missing" for name in columns if name not in header)
    yield from (f"column {name!r} appears twice" for name in columns if header.count(name) > 1)


def _as_it_reads_now(path: Path, rows: Iterable[list[str]], columns: dict[str, Check]) -> Iterator[Fault]:
    """One fault for the header, and one for each line of a file from before principals had kinds and accounts."""
    yield _fault(
        path,
        1,
        f"has the columns of an earlier version: a principal is now a kind, an account and a name. "
        f"Write this header: {','.join(columns)}",
    )
    yield from (_fault(path, number, _reads_now(path.stem, cells, columns)) for number, cells in enumerate(rows, 2))


def _reads_now(file: str, cells: list[str], columns: dict[str, Check]) -> str:
    now = principals.read_now(file, cells)
    if now is None:
        return "no longer says who is meant: name the kind, the account and the name of the principal"
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(now)
    faults = list(_row_faults(file, list(columns), now, columns))
    return f"now reads: {line.getvalue()}" + (f" (but {faults[0]})" if faults else "")


def _row_faults(file: str, header: list[str], cells: list[str], columns: dict[str, Check]) -> Iterator[str]:
    if len(cells) != len(header):
        yield f"has {len(cells)} cells, but the header has {len(header)}"
        return
    row = dict(zip(header, cells, strict=True))
    faults = list(_cell_faults(row, columns))
    yield from faults
    if not faults and file in _LINE_CHECKS:
        yield from _LINE_CHECKS[file](row)


def _cell_faults(row: dict[str, str], columns: dict[str, Check]) -> Iterator[str]:
    for name, value in row.items():
        if value != value.strip():
            yield f"{name}: {value!r} has spaces around it, so it would match nothing"
        elif set(value) & set("\\\r\n") or value.lower() == "null":
            yield f"{name}: {value!r} is not read the same everywhere: no backslash, no line break, not the word null"
        elif fault := columns[name](value):
            yield f"{name}: {fault}"
    if row.get("event_source") == "s3.amazonaws.com" and "name" in row and (fault := _bucket(row["name"])):
        yield f"name: {fault}"
    if "home_region" in row:
        if bool(row["trail"]) != bool(row["home_region"]):
            yield "trail and home_region go together, as in the names of its digests; a line without them expects none"
        elif not row["trail"] and not (row["reason"] and row["approved_by"]):
            yield "a line without a trail expects no digests: give a reason and approved_by"
