"""Athena's SQL as Trino wants to hear it, and a tokenizer that Athena's two dialects share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from .errors import QueryFailed

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
      | (?P<string>'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*")
      | (?P<quoted>`(?:[^`]|``)*`)
      | (?P<word>[\w$@]+)
      | (?P<symbol>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A word, a quoted name, a string or one symbol, and where it stands in the statement."""

    kind: str
    text: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these keywords."""
        return self.kind == "word" and self.text.upper() in words


def tokenize(sql: str) -> list[Token]:
    """The statement without space and comments."""
    return [
        Token(str(match.lastgroup), match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(sql)
        if match.lastgroup != "space"
    ]


class Kind(Enum):
    """What a statement is, in the words of Athena's API: StatementType and SubstatementType."""

    SELECT = ("DML", "SELECT")
    INSERT = ("DML", "INSERT")
    EXPLAIN = ("DML", "EXPLAIN")
    CTAS = ("DDL", "CREATE_TABLE_AS_SELECT")
    CREATE_VIEW = ("DDL", "CREATE_VIEW")
    UTILITY = ("UTILITY", "SHOW")
    TRINO_DDL = ("DDL", "DROP_VIEW")
    HIVE_DDL = ("DDL", "DDL")

    @property
    def statement_type(self) -> str:
        """DML, DDL or UTILITY."""
        return self.value[0]

    @property
    def is_text(self) -> bool:
        """Whether the result is lines of text, without a header."""
        return self.statement_type != "DML" or self is Kind.EXPLAIN


def classify(sql: str) -> Kind:
    """What kind of statement this is; DDL that Athena gives to Hive is HIVE_DDL."""
    words = [token.text.upper() for token in tokenize(sql)[:6]]
    first = [*words, ""][0]
    if first in ("SELECT", "WITH", "VALUES", "(", "TABLE"):
        return Kind.SELECT
    if first in ("INSERT", "DELETE", "UPDATE", "MERGE"):
        return Kind.INSERT
    if first == "EXPLAIN":
        return Kind.EXPLAIN
    if first in ("DESCRIBE", "DESC") or (first == "SHOW" and words[1:2] in (["COLUMNS"], ["CREATE"], ["VIEWS"])):
        return Kind.UTILITY
    if first == "CREATE" and "VIEW" in words:
        return Kind.CREATE_VIEW
    if words[:2] == ["CREATE", "TABLE"]:
        return Kind.CTAS
    if words[:2] == ["DROP", "VIEW"]:
        return Kind.TRINO_DDL
    if first in ("CREATE", "ALTER", "DROP", "MSCK", "SHOW"):
        return Kind.HIVE_DDL
    raise QueryFailed(f"line 1:1: mismatched input '{first.lower()}'. Expecting: a statement that Athena knows")


@dataclass(frozen=True)
class TrinoStatement:
    """A statement for Trino, with the session properties that Athena has as table properties."""

    sql: str
    session: dict[str, str] = field(default_factory=dict)
    external_location: str | None = None


def to_trino(sql: str, kind: Kind, parameters: Sequence[str] = ()) -> TrinoStatement:
    """Translate a statement that Athena's engine executes (anything but Hive DDL)."""
    statement = _ctas(sql) if kind is Kind.CTAS else TrinoStatement(sql)
    text = statement.sql.strip().rstrip(";")
    if kind is Kind.UTILITY:
        text = text.replace("`", '"')
    if parameters:
        text = "EXECUTE IMMEDIATE " + _literal(text) + " USING " + ", ".join(parameters)
    return TrinoStatement(text, statement.session, statement.external_location)


def ctas_location(sql: str) -> str | None:
    """The external_location of a CREATE TABLE AS, if it has one."""
    return _ctas(sql).external_location


def with_location(sql: str, location: str) -> str:
    """The same CREATE TABLE AS, with an external_location."""
    tokens = tokenize(sql)
    at = next(i for i, token in enumerate(tokens) if token.is_word("AS", "WITH"))
    if tokens[at].is_word("WITH"):
        position = tokens[at + 1].end
        return f"{sql[:position]} external_location = {_literal(location)}, {sql[position:]}"
    position = tokens[at].start
    return f"{sql[:position]} WITH (external_location = {_literal(location)}) {sql[position:]}"


def _ctas(sql: str) -> TrinoStatement:
    tokens = tokenize(sql)
    at = next((i for i, token in enumerate(tokens) if token.is_word("AS", "WITH")), None)
    if at is None:
        raise QueryFailed("line 1:8: mismatched input 'TABLE'. Expecting: 'EXTERNAL', or 'AS' after the table's name")
    if tokens[at].is_word("AS"):
        return TrinoStatement(sql)
    end, properties = _properties(sql, tokens, at + 1)
    kept: dict[str, str] = {}
    session: dict[str, str] = {}
    for name, value in properties.items():
        match name:
            case "table_type":
                if value.strip("'").lower() != "hive":
                    raise QueryFailed(f"NOT_SUPPORTED: this local service has no {value} tables, only hive")
            case "is_external":
                pass  # Trino derives it from external_location
            case "write_compression" | "parquet_compression" | "orc_compression":
                session["compression_codec"] = value.strip("'").upper()
            case "field_delimiter":
                kept["textfile_field_separator"] = value
            case _:
                kept[name] = value
    clause = "WITH (" + ", ".join(f"{name} = {value}" for name, value in kept.items()) + ")" if kept else ""
    location = kept.get("external_location")
    return TrinoStatement(
        sql[: tokens[at].start] + clause + sql[end:],
        session,
        location.strip("'").replace("''", "'") if location else None,
    )


def _properties(sql: str, tokens: Sequence[Token], opening: int) -> tuple[int, dict[str, str]]:
    """The `name = value` pairs of WITH (…), and the position after its closing parenthesis."""
    properties: dict[str, str] = {}
    depth, start = 0, opening + 1
    for i in range(opening, len(tokens)):
        text = tokens[i].text
        depth += (text in "([") - (text in ")]")
        if (text == "," and depth == 1) or depth == 0:
            if i > start:
                properties[tokens[start].text.lower()] = sql[tokens[start + 2].start : tokens[i - 1].end]
            start = i + 1
        if depth == 0:
            return tokens[i].end, properties
    raise QueryFailed("line 1:1: the WITH clause has no closing parenthesis")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
