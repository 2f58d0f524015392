"""One small change of a file that makes it say something else: a mutant. Python is changed by its syntax tree; SQL with
its Jinja, and the lines of the seeds, by their text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Mutant:
    """A file, relative to the project, in which the bytes from `start` to `end` are replaced by `text`."""

    file: str
    start: int
    end: int
    text: str
    line: int
    change: str

    @property
    def name(self) -> str:
        """The same as long as the changed line is: what a list of mutants knows it by."""
        return f"{self.file}: {self.change}"

    def applied(self, content: bytes) -> bytes:
        """The file's content with the change."""
        return content[: self.start] + self.text.encode() + content[self.end :]


def mutants_of(project: Path, file: str) -> list[Mutant]:
    """Every mutant of a file, in the order of its lines."""
    content = (project / file).read_bytes()
    find = {".py": _of_python, ".sql": _of_sql, ".csv": _of_seed}[Path(file).suffix]
    found = []
    for start, end, text in find(content):
        if content[start:end] != text.encode():
            line = content[:start].count(b"\n") + 1
            whole = content.splitlines()[line - 1].decode().strip()
            change = f"{_short(content[start:end].decode())} -> {_short(text)} in: {whole[:120]}"
            found.append(Mutant(file, start, end, text, line, change))
    return sorted(found, key=lambda mutant: (mutant.start, mutant.end))


def _short(text: str) -> str:
    return " ".join(text.split())[:80]


_Change = tuple[int, int, str]

_COMPARED: dict[type[ast.cmpop], str] = {
    ast.Eq: "!=", ast.NotEq: "==", ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.In: "not in",
    ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
_OTHER_NAME = {"min": "max", "max": "min", "any": "all", "all": "any"}


def _of_python(content: bytes) -> Iterator[_Change]:
    starts = [0]
    for line in content.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def place(node: ast.expr | ast.stmt) -> tuple[int, int]:
        return (
            starts[node.lineno - 1] + node.col_offset,
            starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0),
        )

    def source(node: ast.expr) -> str:
        start, end = place(node)
        return content[start:end].decode()

    def is_python(change: _Change) -> bool:
        start, end, text = change
        try:
            compile(content[:start] + text.encode() + content[end:], "mutant", "exec")
        except SyntaxError:
            return False
        return True

    yield from filter(is_python, _changes_of(content, place, source))


def _changes_of(
    content: bytes, place: Callable[[ast.expr | ast.stmt], tuple[int, int]], source: Callable[[ast.expr], str]
) -> Iterator[_Change]:
    for node in _meant(ast.parse(content)):
        match node:
            case ast.Compare(left=left, ops=[op], comparators=[right]):
                yield *place(node), f"{source(left)} {_COMPARED[type(op)]} {source(right)}"
            case ast.BoolOp(values=values):
                word = " and " if isinstance(node.op, ast.And) else " or "
                for left_out in values:
                    rest = word.join(f"({source(value)})" for value in values if value is not left_out)
                    yield *place(node), f"({rest})"
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                yield *place(node), f"bool({source(operand)})"
            case ast.Constant(value=bool(value)):
                yield *place(node), str(not value)
            case ast.Constant(value=int(value)):
                yield *place(node), str(value + 1)
            case ast.List(elts=members) | ast.Set(elts=members) if len(members) > 1:
                for member in members:
                    yield _left_out(content, *place(member))
            case ast.Tuple(elts=members) if len(members) > 2 and all(isinstance(it, ast.Constant) for it in members):
                for member in members:
                    yield _left_out(content, *place(member))
            case ast.Call(func=ast.Name(id=name) as called) if name in _OTHER_NAME:
                yield *place(called), _OTHER_NAME[name]
            case ast.If(test=ast.Call() | ast.Name() | ast.Attribute() | ast.NamedExpr() as test):
                yield *place(test), f"({source(test)}) and False"
            case ast.Expr(value=ast.Call()) | ast.Raise():
                yield *place(node), "pass"


def _meant(tree: ast.AST) -> Iterator[ast.expr | ast.stmt]:
    """The nodes that do something: no annotations, no texts for people, nothing for type checkers alone."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "bases", "slice"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
                continue
            if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
                continue
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
                continue  # a limit or a time that somebody chose
            if isinstance(node, ast.expr | ast.stmt):
                yield node
            yield from _meant(node)


def _left_out(content: bytes, start: int, end: int) -> _Change:
    """A member of a list is gone, with the comma that parts it from the next, or from the one before."""
    if after := re.match(rb"\s*,\s*", content[end:]):
        return start, end + after.end(), ""
    before = re.search(rb"\s*,\s*$", content[:start])
    return (before.start() if before else start), end, ""


_SQL_CHANGES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"\band\b", "or"), (r"\bor\b", "and"), (r"(?<=[\w)'] )<>(?= )", "="), (r"(?<=[\w)'] )=(?= )", "<>"),
    (r"(?<= )>=(?= )", ">"), (r"(?<= )<=(?= )", "<"), (r"(?<= )>(?= )", ">="), (r"(?<= )<(?= )", "<="),
    (r"\bis not null\b", "is null"), (r"\bis null\b", "is not null"), (r"\bnot (?=in\b|like\b|coalesce|\{\{|\()", ""),
    (r"\bdesc\b", "asc"), (r"\basc\b", "desc"), (r"\bmin\(", "max("), (r"\bmax\(", "min("), (r"\bleast\(", "greatest("),
    (r"\bgreatest\(", "least("), (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\bleft join\b", "inner join"),
    (r"\bunion all\b", "union"), (r"(?<=[ (])\d+(?=[ ,)\n])", lambda found: str(int(found[0]) + 1)),
)  # fmt: skip
_SQL_MEMBER = re.compile(r"(?<=[\[(,\n])\s*'[^'\n]*'\s*(?=[\]),])")
# What is no rule: comments, configurations, and what runs on Athena alone, which other tests are for
_NO_RULE = re.compile(
    r"--[^\n]*|\{#.*?#\}|\{\{ config\(.*?\) \}\}|\{% macro athena__.*?\{% endmacro %\}|\{% macro [^\n]*", re.DOTALL
)


def _of_sql(content: bytes) -> Iterator[_Change]:
    text = content.decode()
    left_out = [found.span() for found in _NO_RULE.finditer(text)]

    def is_code(at: int) -> bool:
        return not any(start <= at < end for start, end in left_out)

    def at_bytes(at: int) -> int:
        return len(text[:at].encode())

    for pattern, new in _SQL_CHANGES:
        for found in re.finditer(pattern, text):
            if is_code(found.start()):
                changed = new(found) if callable(new) else new
                yield at_bytes(found.start()), at_bytes(found.end()), changed
    for found in _SQL_MEMBER.finditer(text):
        start, end, _ = _left_out(content, at_bytes(found.start()), at_bytes(found.end()))
        if is_code(found.start()) and _is_in_list(text, found.start(), found.end()):
            yield start, end, ""


def _is_in_list(text: str, start: int, end: int) -> bool:
    """Whether a text is a member of a list, `[…]` or `in (…)`, that has others: an argument can't be left out."""
    depth = 0
    for at in range(start - 1, -1, -1):
        if text[at] in "])":
            depth += 1
        elif text[at] in "[(":
            if depth == 0:
                is_list = text[at] == "[" or text[:at].endswith(" in ")
                return is_list and (text[at + 1 : start].strip() != "" or text[end:].lstrip().startswith(","))
            depth -= 1
    return False


def _of_seed(content: bytes) -> Iterator[_Change]:
    """Each line but the header is gone, and each flag of a line."""
    at = content.index(b"\n") + 1
    while at < len(content):
        end = content.index(b"\n", at) + 1
        yield at, end, ""
        if flag := re.search(rb",(elevation|sign-in)\n$", content[at:end]):
            yield at + flag.start(1), at + flag.end(1), ""
        at = end
