"""The findings as a page carries them: JSON, compressed once, as base64, which the browser unpacks itself."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from types import MappingProxyType

from .folding import Row
from .gravity import WORDS
from .grouping import Finding, Line
from .sentences import mfa, whole_sentence
from .visible import visible

# What a finding has in the page, in this order: report.js reads it by these places
COLUMNS = (
    "line", "event_time", "sentence", "aws_account_id", "aws_region", "event_source", "event_name", "actor_name",
    "actor_arn", "access_key_id", "source_ip", "user_agent", "outcome", "error_code", "error_message", "resource",
    "flags", "mfa", "request_parameters", "response_elements", "event_id", "shared_event_id", "log_file",
    "also",
)  # fmt: skip
_LONGEST = 20_000  # characters of one field
_MOST_LINES = 20_000
_BUDGET = 5_500_000  # bytes of compressed data; base64 makes a third more of it, and a page stays below 10 MB


@dataclass(frozen=True)
class Packed:
    """The data of a page, and how many findings of the day it has."""

    base64: str
    findings: int


def pack(lines: list[Line], approvals: Mapping[str, Row] = MappingProxyType({})) -> Packed:
    """Packs the lines, the gravest first, and as many of their findings as there is room for: first one of each line
    that nobody expected, then the others, so that what has no room is expected or the least grave. What is left out is
    counted, and lies in the tables. `approvals` has by its name the line of the settings that expected a finding.
    """
    about = [
        {
            "id": line.id,
            "r": line.requirement,
            "also": list(line.also),
            "a": visible(line.actor),
            "ac": line.account,
            "o": line.outcome,
            "x": line.is_expected,
            "n": bool(line.new),
            "g": WORDS[line.gravity],
            "c": line.count,
            **({"ap": _shown(approved(line, approvals.get(line.expected_line)))} if line.is_expected else {}),
        }
        for line in lines[:_MOST_LINES]
    ]
    rest = sum(line.count for line in lines[_MOST_LINES:])
    packer = zlib.compressobj(6, wbits=31)  # 31: with the header of gzip
    parts = [packer.compress(f'{{"lines":{_json(about)},"rest":{rest},"rows":['.encode())]
    size, count = len(parts[0]), 0
    for number, finding in _in_order(lines[:_MOST_LINES]):
        row = _json(_values(number, finding))
        parts.append(packer.compress((f",{row}" if count else row).encode()))
        size += len(parts[-1])
        count += 1
        if size > _BUDGET:
            break
    parts += [packer.compress(b"]}"), packer.flush()]
    return Packed(base64.b64encode(b"".join(parts)).decode(), count)


def _in_order(lines: list[Line]) -> Iterator[tuple[int, Finding]]:
    for is_expected in (False, True):
        numbered = [(number, line) for number, line in enumerate(lines) if line.is_expected is is_expected]
        yield from ((number, finding) for number, line in numbered for finding in line.rows[:1])
        yield from ((number, finding) for number, line in numbered for finding in line.rows[1:])


def approved(line: Line, approval: Row | None) -> str:
    """Who approved what is expected, why, and until when."""
    if approval is None:
        return f"by line {line.expected_line or 'of expected_activity'}"
    return (
        f"{approval['reason']} ({approval['approved_by']}, {approval['approved_on']}; expires {approval['expires_on']})"
    )


def _values(number: int, finding: Finding) -> list[object]:
    row = finding.row
    through = f", {finding.through}" if finding.through else ""
    own: dict[str, object] = {
        "line": number,
        "sentence": _shown(whole_sentence(row) + through),
        "mfa": mfa(row),
        "also": [
            [
                *(_shown(other.get(name, "")) for name in ("requirement", "title", "flags")),
                "expected there" if other.get("is_expected") == "true" else "",
            ]
            for other in finding.also
        ],
    }
    return [own[name] if name in own else _shown(row.get(name, "")) for name in COLUMNS]


def _shown(text: str) -> str:
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]} … ({len(text)} characters; the rest is in the table)"
    return visible(text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unpack(data: str) -> tuple[list[dict[str, object]], list[Row]]:
    """The lines and the findings of a page, for whoever compares them with the tables."""
    content = json.loads(zlib.decompress(base64.b64decode(data), wbits=31))
    return content["lines"], [dict(zip_longest(COLUMNS, row)) for row in content["rows"]]
