"""Athena gives DDL to Hive, which changes the Glue catalogue; here a small parser does, through Glue's API."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

from .athena_sql import Token, tokenize
from .errors import QueryFailed, as_athena_denies

if TYPE_CHECKING:
    from mypy_boto3_glue.client import GlueClient

_TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_LAZY_SERDE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
_FORMATS = {
    "PARQUET": (
        f"{_PARQUET}.MapredParquetInputFormat",
        f"{_PARQUET}.MapredParquetOutputFormat",
        f"{_PARQUET}.serde.ParquetHiveSerDe",
    ),
    "TEXTFILE": (_TEXT_INPUT, _TEXT_OUTPUT, _LAZY_SERDE),
}
_HIVE_TYPES = {"varchar": "string", "integer": "int"}
_GLUE_BATCH = {"create": 100, "delete": 25}
_FAILED = "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "


class HiveDdl:
    """Executes one DDL statement after the other on Glue; each gives the lines of text that Athena shows."""

    def __init__(self, glue: GlueClient, list_keys: Callable[[str], Iterable[str]]) -> None:
        self._glue = glue
        self._list_keys = list_keys

    def execute(self, sql: str, database: str) -> list[str]:
        """Run a statement; QueryFailed with Hive's words when it fails."""
        statement = _Parser(sql, database)
        try:
            return self._dispatch(statement)
        except ClientError as error:
            raise _as_hive_error(error) from error

    def _dispatch(self, p: _Parser) -> list[str]:
        if p.accept("CREATE", "EXTERNAL", "TABLE"):
            return self._create_table(p)
        if p.accept("CREATE", "SCHEMA") or p.accept("CREATE", "DATABASE"):
            return self._create_database(p)
        if p.accept("ALTER", "TABLE"):
            return self._alter_table(p)
        if p.accept("DROP", "TABLE"):
            return self._drop(p, lambda name: self._glue.delete_table(DatabaseName=name[0], Name=name[1]))
        if p.accept("DROP", "SCHEMA") or p.accept("DROP", "DATABASE"):
            return self._drop(p, lambda name: self._glue.delete_database(Name=name[1]))
        if p.accept("MSCK", "REPAIR", "TABLE"):
            return self._repair(*p.table_name())
        if p.accept("SHOW", "PARTITIONS"):
            return self._show_partitions(*p.table_name())
        if p.accept("SHOW", "TABLES"):
            return self._show_tables(p)
        if p.accept("SHOW", "SCHEMAS") or p.accept("SHOW", "DATABASES"):
            pages = self._glue.get_paginator("get_databases").paginate()
            return sorted(found["Name"] for page in pages for found in page["DatabaseList"])
        raise p.error()

    def _create_database(self, p: _Parser) -> list[str]:
        quietly = p.accept("IF", "NOT", "EXISTS")
        database: dict[str, str] = {"Name": p.name()}
        if p.accept("COMMENT"):
            database["Description"] = p.string()
        if p.accept("LOCATION"):
            database["LocationUri"] = p.string()
        with _ignoring("AlreadyExistsException", quietly):
            self._glue.create_database(DatabaseInput=cast(Any, database))
        return []

    def _create_table(self, p: _Parser) -> list[str]:
        quietly = p.accept("IF", "NOT", "EXISTS")
        database, name = p.table_name()
        table = _table_input(name, p)
        with _ignoring("AlreadyExistsException", quietly):
            self._glue.create_table(DatabaseName=database, TableInput=cast(Any, table))
        return []

    def _alter_table(self, p: _Parser) -> list[str]:
        database, name = p.table_name()
        table = cast(dict[str, Any], self._glue.get_table(DatabaseName=database, Name=name)["Table"])
        if p.accept("ADD", "COLUMNS"):
            table["StorageDescriptor"]["Columns"] += p.columns()
        elif p.accept("ADD"):
            quietly = p.accept("IF", "NOT", "EXISTS")
            self._add_partitions(table, list(p.partitions(table)), quietly)
            return []
        elif p.accept("DROP"):
            quietly = p.accept("IF", "EXISTS")
            self._drop_partitions(table, [values for values, _ in p.partitions(table)], quietly)
            return []
        elif p.accept("SET", "TBLPROPERTIES"):
            table.setdefault("Parameters", {}).update(p.properties())
        elif p.accept("SET", "LOCATION"):
            table["StorageDescriptor"]["Location"] = p.string()
        else:
            raise p.error()
        changeable = ("Name", "Description", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters")
        update = {key: table[key] for key in changeable if key in table}
        self._glue.update_table(DatabaseName=database, TableInput=cast(Any, update))
        return []

    def _add_partitions(self, table: dict[str, Any], partitions: list[tuple[list[str], str]], quietly: bool) -> None:
        database, name, storage = table["DatabaseName"], table["Name"], table["StorageDescriptor"]
        inputs = [{"Values": v, "StorageDescriptor": {**storage, "Location": at}} for v, at in partitions]
        for batch in _batches(inputs, _GLUE_BATCH["create"]):
            answer = self._glue.batch_create_partition(
                DatabaseName=database, TableName=name, PartitionInputList=cast(Any, batch)
            )
            for error in answer.get("Errors", ()):
                code = error["ErrorDetail"]["ErrorCode"]
                if not (quietly and code == "AlreadyExistsException"):
                    raise QueryFailed(f"{_FAILED}{code}(message:{error['ErrorDetail']['ErrorMessage']})")

    def _drop_partitions(self, table: dict[str, Any], values: list[list[str]], quietly: bool) -> None:
        for batch in _batches([{"Values": v} for v in values], _GLUE_BATCH["delete"]):
            answer = self._glue.batch_delete_partition(
                DatabaseName=table["DatabaseName"], TableName=table["Name"], PartitionsToDelete=cast(Any, batch)
            )
            for error in answer.get("Errors", ()):
                if not quietly:
                    spec = ", ".join(error["PartitionValues"])
                    raise QueryFailed(f"FAILED: SemanticException [Error 10006]: Partition not found ({spec})")

    def _drop(self, p: _Parser, delete: Callable[[tuple[str, str]], Any]) -> list[str]:
        quietly = p.accept("IF", "EXISTS")
        with _ignoring("EntityNotFoundException", quietly):
            delete(p.table_name())
        return []

    def _repair(self, database: str, name: str) -> list[str]:
        table = cast(dict[str, Any], self._glue.get_table(DatabaseName=database, Name=name)["Table"])
        location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
        keys = [key["Name"] for key in table["PartitionKeys"]]
        pattern = re.compile("/".join(f"{re.escape(key)}=([^/]+)" for key in keys) + "/")
        found = {m.group().rstrip("/"): list(m.groups()) for m in map(pattern.match, self._list_keys(location)) if m}
        missing = sorted(set(found) - set(self._show_partitions(database, name)))
        self._add_partitions(table, [(found[spec], location + spec) for spec in missing], quietly=True)
        return [f"Repair: Added partition to metastore {database}.{name}:{spec}" for spec in missing]

    def _show_partitions(self, database: str, name: str) -> list[str]:
        table = self._glue.get_table(DatabaseName=database, Name=name)["Table"]
        keys = [key["Name"] for key in table.get("PartitionKeys", ())]
        pages = self._glue.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=name, ExcludeColumnSchema=True
        )
        values = (partition["Values"] for page in pages for partition in page["Partitions"])
        return sorted("/".join(f"{k}={v}" for k, v in zip(keys, vs, strict=True)) for vs in values)

    def _show_tables(self, p: _Parser) -> list[str]:
        database = p.name() if p.accept("IN") or p.accept("FROM") else p.database
        wanted = re.compile(p.string().replace("*", ".*") if p.has_more() else ".*")
        pages = self._glue.get_paginator("get_tables").paginate(DatabaseName=database)
        return sorted(t["Name"] for page in pages for t in page["TableList"] if wanted.fullmatch(t["Name"]))


def _table_input(name: str, p: _Parser) -> dict[str, Any]:
    table: dict[str, Any] = {"Name": name, "TableType": "EXTERNAL_TABLE", "Parameters": {"EXTERNAL": "TRUE"}}
    input_format, output_format, serde = _FORMATS["TEXTFILE"]
    serde_properties: dict[str, str] = {"serialization.format": "1"}
    storage: dict[str, Any] = {"Columns": p.columns()}
    while p.has_more():
        if p.accept("COMMENT"):
            table["Description"] = p.string()
        elif p.accept("PARTITIONED", "BY"):
            table["PartitionKeys"] = p.columns()
        elif p.accept("ROW", "FORMAT", "SERDE"):
            serde = p.string()
        elif p.accept("ROW", "FORMAT", "DELIMITED", "FIELDS", "TERMINATED", "BY"):
            serde_properties["field.delim"] = p.string()
        elif p.accept("WITH", "SERDEPROPERTIES"):
            serde_properties.update(p.properties())
        elif p.accept("STORED", "AS", "INPUTFORMAT"):
            input_format = p.string()
            p.expect("OUTPUTFORMAT")
            output_format = p.string()
        elif p.accept("STORED", "AS"):
            formats = _FORMATS.get(p.name().upper())
            if formats is None:
                raise p.error()
            input_format, output_format, format_serde = formats
            serde = format_serde if serde == _LAZY_SERDE else serde
        elif p.accept("LOCATION"):
            storage["Location"] = p.string()
        elif p.accept("TBLPROPERTIES"):
            table["Parameters"].update(p.properties())
        else:
            raise p.error()
    if "Location" not in storage:
        raise QueryFailed(f"{_FAILED}MetaException(message:No location was specified for table.)")
    table["StorageDescriptor"] = {
        **storage,
        "InputFormat": input_format,
        "OutputFormat": output_format,
        "SerdeInfo": {"SerializationLibrary": serde, "Parameters": serde_properties},
    }
    return table


class _Parser:
    """A cursor over the tokens of one statement."""

    def __init__(self, sql: str, database: str) -> None:
        self.database = database.lower()
        tokens = tokenize(sql)
        self._tokens = tokens[:-1] if tokens and tokens[-1].text == ";" else tokens
        self._sql = sql
        self._at = 0

    def has_more(self) -> bool:
        return self._at < len(self._tokens)

    def accept(self, *words: str) -> bool:
        """Step over these keywords if they come next."""
        ahead = self._tokens[self._at : self._at + len(words)]
        if len(ahead) == len(words) and all(t.is_word(w) or t.text == w for t, w in zip(ahead, words, strict=True)):
            self._at += len(words)
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.error()

    def error(self) -> QueryFailed:
        """What Athena says when a statement can't be parsed."""
        if not self.has_more():
            return QueryFailed("FAILED: ParseException line 1:0 cannot recognize input near '<EOF>'")
        token = self._tokens[self._at]
        line = self._sql.count("\n", 0, token.start) + 1
        column = token.start - (self._sql.rfind("\n", 0, token.start) + 1)
        return QueryFailed(f"FAILED: ParseException line {line}:{column} cannot recognize input near '{token.text}'")

    def _next(self, *kinds: str) -> Token:
        if not self.has_more() or self._tokens[self._at].kind not in kinds:
            raise self.error()
        self._at += 1
        return self._tokens[self._at - 1]

    def name(self) -> str:
        """A name, in lower case as Glue keeps it."""
        return self._next("word", "quoted").text.strip("`").lower()

    def table_name(self) -> tuple[str, str]:
        """`database.table`, or a table of the query's database."""
        first = self.name()
        return (first, self.name()) if self.accept(".") else (self.database, first)

    def string(self) -> str:
        quoted = self._next("string").text
        return re.sub(r"\\(.)|''", lambda m: m.group(1) or "'", quoted[1:-1])

    def columns(self) -> list[dict[str, str]]:
        """`(name type [COMMENT '…'], …)`"""
        columns: list[dict[str, str]] = []
        self.expect("(")
        while not self.accept(")"):
            column = {"Name": self.name(), "Type": self._type()}
            if self.accept("COMMENT"):
                column["Comment"] = self.string()
            columns.append(column)
            self.accept(",")
        return columns

    def _type(self) -> str:
        parts: list[str] = []
        depth = 0
        while self.has_more():
            token = self._tokens[self._at]
            if depth == 0 and (token.text in ",)" or token.is_word("COMMENT")):
                break
            depth += (token.text in "(<") - (token.text in ")>")
            parts.append(token.text.strip("`").lower())
            self._at += 1
        text = "".join(parts)
        return _HIVE_TYPES.get(text, text)

    def properties(self) -> dict[str, str]:
        """`('key'='value', …)`"""
        properties: dict[str, str] = {}
        self.expect("(")
        while not self.accept(")"):
            key = self.string()
            self.expect("=")
            properties[key] = self.string()
            self.accept(",")
        return properties

    def partitions(self, table: dict[str, Any]) -> Iterator[tuple[list[str], str]]:
        """`PARTITION (k='v', …) [LOCATION '…']`, again and again: the values in the table's order, the location."""
        keys = [key["Name"] for key in table.get("PartitionKeys", ())]
        root = table["StorageDescriptor"].get("Location", "").rstrip("/")
        self._require("PARTITION")
        while self.accept("PARTITION"):
            self.expect("(")
            spec: dict[str, str] = {}
            while not self.accept(")"):
                key = self.name()
                self.expect("=")
                spec[key] = self.string() if self._tokens[self._at].kind == "string" else self.name()
                self.accept(",")
            if set(spec) != set(keys):
                raise QueryFailed(
                    f"FAILED: SemanticException partition spec {{{', '.join(spec)}}} doesn't contain all "
                    f"({len(keys)}) partition columns"
                )
            values = [spec[key] for key in keys]
            default = "/".join([root, *(f"{k}={v}" for k, v in zip(keys, values, strict=True))])
            yield values, self.string() if self.accept("LOCATION") else default
            self.accept(",")
        if self.has_more():
            raise self.error()

    def _require(self, word: str) -> None:
        if not (self.has_more() and self._tokens[self._at].is_word(word)):
            raise self.error()


@contextmanager
def _ignoring(code: str, quietly: bool) -> Iterator[None]:
    """Pass over one error code of Glue, for IF [NOT] EXISTS."""
    try:
        yield
    except ClientError as error:
        if not quietly or error.response.get("Error", {}).get("Code") != code:
            raise


def _as_hive_error(error: ClientError) -> QueryFailed:
    details = error.response.get("Error", {})
    code, message = details.get("Code", "Unknown"), details.get("Message", "")
    if code == "AccessDeniedException":
        return QueryFailed(f"{_FAILED}MetaException(message:{as_athena_denies(message)})", category=2, error_type=1100)
    if code == "EntityNotFoundException" and message.startswith("Database"):
        return QueryFailed(f"FAILED: SemanticException [Error 10072]: {message}")
    if code == "EntityNotFoundException":
        return QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found ({message})")
    return QueryFailed(f"{_FAILED}{code}(message:{message})")


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
