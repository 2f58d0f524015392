"""Compares the rows of two builds, in DuckDB: which vanished, became expected, changed or appeared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

VANISHED = "vanished"
BECAME_EXPECTED = "became expected"
CHANGED = "changed"
APPEARED = "appeared"
KINDS = (VANISHED, BECAME_EXPECTED, CHANGED, APPEARED)  # in the order in which they matter

BASE, HEAD = "base", "head"  # schemas with what the two builds found
_CHANGES = "changes"
_LIMITS: dict[str, str | bool | int | float | list[str]] = {"memory_limit": "900MB"}
# What somebody's logs hold in these is named where it changed, and not shown
_NOT_SHOWN = ("request_parameters", "response_elements")
_LONGEST_VALUE = 200  # characters of a value before and after


@dataclass(frozen=True)
class Compared:
    """How the rows of a relation are compared.

    `key` are SQL expressions over its columns, each with the columns that it needs: rows with the same key are the same
    one, before and after. `event` are the columns by which an approval names a row. A row of which `weaker` holds, SQL
    over `before` and `after`, asks less of the reviewer than it did; `weaker_column` is what it is about.
    """

    key: dict[str, tuple[str, ...]]
    event: tuple[str, ...]
    weaker: str
    weaker_column: str


def _key(*columns: str) -> dict[str, tuple[str, ...]]:
    return {column: (column,) for column in columns}


# The event, and not all that a finding says of it (macros/findings/finding_key.sql): else what changed in one column
# would have vanished, and another appeared. What is equal in everything is left out before, each copy with one other.
FINDINGS = Compared(
    key=_key("requirement", "run_date", "aws_account_id", "event_id", "event_time", "event_source", "event_name")
    # without an id, its caller and what it asked for tell one event from another
    | {
        f"case when event_id is null then {column} end": ("event_id", column)
        for column in ("actor_arn", "request_parameters")
    },
    event=("event_source", "event_name"),
    weaker="after.is_expected = 'true' and before.is_expected is distinct from 'true'",
    weaker_column="is_expected",
)
LOG_COVERAGE = Compared(
    key=_key("run_date", "account_id", "region"),
    event=("account_id", "region"),
    weaker="before.gap is not null and after.gap is null",
    weaker_column="gap",
)
DAILY_REVIEW = Compared(
    key=_key("run_date", "requirement"),
    event=("requirement",),
    weaker="after.is_complete = 'true' and before.is_complete is distinct from 'true'",
    weaker_column="is_complete",
)


# What is compared beside the requirements' models
SUMS = {"findings": FINDINGS, "log_coverage": LOG_COVERAGE, "daily_review": DAILY_REVIEW}


@dataclass(frozen=True)
class Relation:
    """A relation's name before and after; None where it is not there. `label` is what the report calls it."""

    label: str
    before: str | None
    after: str | None
    compared: Compared


@dataclass(frozen=True)
class Columns:
    """The columns that a relation lost and got."""

    relation: str
    removed: tuple[str, ...]
    added: tuple[str, ...]


class Changes:
    """A database of the rows that differ: the table `changes`, and how many rows did not differ.

    `changes` says of a row where it is and which event it is, the columns that changed, with their values before and
    after and, once that is known, whether the article's queries return it, and by which line it is approved.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.unchanged: dict[str, int] = {}
        self.columns: list[Columns] = []
        self.repeated: list[str] = []  # relations whose changes are those of others
        connection.execute(
            """
            create table changes (
                relation varchar, requirement varchar, run_date varchar, kind varchar, event varchar,
                event_id varchar, event_time varchar, aws_account_id varchar, aws_region varchar,
                title varchar, detail varchar, changed_columns varchar, before varchar, after varchar,
                is_article boolean default false, approval varchar
            )
            """
        )

    def add(self, relation: Relation) -> None:
        """Compares a relation, and keeps its rows that differ."""
        sides = [
            (name, _columns(self.connection, _CHANGES, side, name) if name else [])
            for side, name in ((BASE, relation.before), (HEAD, relation.after))
        ]
        (before, old), (after, new) = sides
        common = [name for name in old if name in new] if before and after else old or new
        if before and after and (old_only := set(old) ^ set(new)):
            self.columns.append(
                Columns(
                    relation.label,
                    tuple(name for name in old if name in old_only),
                    tuple(name for name in new if name in old_only),
                )
            )
        rows = [
            f"select {_texts(common)} from {side}.{_name(name)}"
            if name
            else f"select {', '.join(f'null::varchar as {_name(column)}' for column in common)} where false"
            for side, name in ((BASE, before), (HEAD, after))
        ]
        self.connection.execute(f"create or replace temp table gone as {rows[0]} except all {rows[1]}")
        self.connection.execute(f"create or replace temp table come as {rows[1]} except all {rows[0]}")
        all_before = _count(self.connection, f"({rows[0]})")
        self.unchanged[relation.label] = all_before - _count(self.connection, "gone")
        self.connection.execute(_insert(relation, common))

    def drop_repeated(self, relation: str, of: Iterable[str]) -> bool:
        """Leaves out the changes of a relation that are, all of them, also those of others; whether it did."""
        names = ", ".join(f"'{name}'" for name in of) or "''"
        what = (
            "requirement, run_date, kind, event, event_id, event_time, aws_account_id, changed_columns, before, after"
        )
        one = f"select {what} from changes where relation = '{relation}'"
        others = f"select {what} from changes where relation in ({names})"
        differing = _count(self.connection, f"(({one} except all {others}) union all ({others} except all {one}))")
        if not differing:
            self.connection.execute("delete from changes where relation = ?", [relation])
            self.repeated.append(relation)
        return not differing


@contextmanager
def open_changes(base: Path, head: Path, home: Path) -> Iterator[Changes]:
    """The changes between two builds' databases, none of them found yet; `home` takes what that needs."""
    with duckdb.connect(home / "changes.duckdb", config=_LIMITS) as connection:
        for side, path in ((BASE, base), (HEAD, head)):
            connection.execute(f"create schema {side}")
            with build_attached(connection, path):
                for name in ("requirements", *_models(connection, "review.main"), *SUMS):
                    if _columns(connection, "review", "main", name):
                        connection.execute(f"create table {side}.{_name(name)} as from review.main.{_name(name)}")
        yield Changes(connection)


@contextmanager
def build_attached(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[None]:
    """A build's database, to be read under the name that dbt has for it: its views look there for their tables."""
    quoted = str(path).replace("'", "''")
    connection.execute(f"attach '{quoted}' as review (read_only)")
    try:
        yield
    finally:
        connection.execute("detach review")


def relations(connection: duckdb.DuckDBPyConnection) -> list[Relation]:
    """What is compared: the model of each requirement, whatever its name, findings, coverage and the day's review."""
    before, after = ({key: name for name, key in _models(connection, side).items()} for side in (BASE, HEAD))
    found = [Relation(key, before.get(key), after.get(key), FINDINGS) for key in sorted(before | after)]
    for name, compared in SUMS.items():
        there = [name if _columns(connection, _CHANGES, side, name) else None for side in (BASE, HEAD)]
        if any(there):
            found.append(Relation(name, there[0], there[1], compared))
    return found


def _models(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, str]:
    """The requirement of each model, as the build's own table has it."""
    return dict(connection.execute(f"select model, requirement from {schema}.requirements").fetchall())


def _columns(connection: duckdb.DuckDBPyConnection, database: str, schema: str, relation: str) -> list[str]:
    found = connection.execute(
        "select column_name from duckdb_columns() where database_name = ? and schema_name = ? and table_name = ? "
        "order by column_index",
        [database, schema, relation],
    ).fetchall()
    return [name for (name,) in found]


_SHOWN_OF_ROW = ("event_id", "event_time", "aws_account_id", "aws_region", "title", "detail")


def _insert(relation: Relation, common: list[str]) -> str:
    compared = relation.compared
    known = [part for part, needed in compared.key.items() if set(needed) <= set(common)] or list(map(_name, common))
    names = [f"key_{number}" for number in range(len(known))]
    keys = ", ".join(f"{part} as {name}" for part, name in zip(known, names, strict=True))
    same = " and ".join(f"before.{name} is not distinct from after.{name}" for name in (*names, "copy"))
    copies = f"row_number() over (partition by {', '.join(names)} order by everything) as copy"
    everything = f"[{', '.join(map(_name, common))}] as everything"
    is_weaker = compared.weaker if compared.weaker_column in common else "false"
    shown = [name for name in common if name not in _NOT_SHOWN]

    def of_row(name: str, otherwise: str = "null") -> str:
        if name not in common:
            return otherwise
        return f"case when after.copy is null then before.{_name(name)} else after.{_name(name)} end"

    event = ", ".join(f"coalesce({of_row(name)}, '')" for name in compared.event)
    is_changed = "before.copy is not null and after.copy is not null"
    return f"""
        insert into changes by position
        with before as (select *, {copies} from (select *, {keys}, {everything} from gone)),
        after as (select *, {copies} from (select *, {keys}, {everything} from come))
        select
            '{relation.label}', {of_row("requirement", f"'{relation.label}'")}, {of_row("run_date")},
            case
                when after.copy is null then '{VANISHED}'
                when before.copy is null then '{APPEARED}'
                when {is_weaker} then '{BECAME_EXPECTED}'
                else '{CHANGED}'
            end,
            concat_ws('/', {event}),
            {", ".join(map(of_row, _SHOWN_OF_ROW))},
            case when {is_changed} then {_named(common)} end,
            case when {is_changed} then {_values(shown, "before")} end,
            case when {is_changed} then {_values(shown, "after")} end,
            false, null
        from before
        full outer join after on {same}
    """


def _differing(names: list[str], shown: dict[str, str], between: str) -> str:
    cases = ", ".join(
        f"case when before.{_name(name)} is distinct from after.{_name(name)} then {shown[name]} end" for name in names
    )
    return f"array_to_string(list_filter([{cases}], lambda it : it is not null), '{between}')"


def _named(names: list[str]) -> str:
    return _differing(names, {name: f"'{name}'" for name in names}, ", ")


def _values(names: list[str], side: str) -> str:
    values = {
        name: f"concat('{name}: ', coalesce(left({side}.{_name(name)}, {_LONGEST_VALUE}), 'NULL'))" for name in names
    }
    return _differing(names, values, "; ")


def _texts(columns: list[str]) -> str:
    return ", ".join(f"cast({_name(name)} as varchar) as {_name(name)}" for name in columns)


def _name(column: str) -> str:
    quoted = column.replace('"', '""')
    return f'"{quoted}"'


def _count(connection: duckdb.DuckDBPyConnection, rows: str) -> int:
    [(count,)] = connection.execute(f"select count(*) from {rows}").fetchall()
    return int(count)
