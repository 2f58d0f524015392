"""Long JSON texts are read as DuckDB reads short ones; LIKE patterns are matched alike, and in linear time."""

from __future__ import annotations

import json
import random
import time

import duckdb
import jinja2
import pytest
from tests.checkout import ROOT

from pci_log_review.warehouse.json_texts import json_texts

PATHS = ["$.a", "$.a.b", "$.a.b[1].c", "$.list[0]", "$.x-amz-copy-source", "$.none"]
DOCUMENTS = [
    {"a": "text", "list": [1], "x-amz-copy-source": "bucket/key"},
    {"a": {"b": [0, {"c": True}]}, "list": []},
    {"a": {"b": '\u00e9\U0001f600"\\'}, "list": [None]},
    {"a": 1.5, "list": [[1]]},
    {"a": None, "list": "text"},
    {"a": False, "list": {"0": 1}},
    {},
    [{"a": 1}],
    "a",
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_long_texts_are_read_as_duckdb_reads_short_ones(document: object) -> None:
    text = json.dumps(document)
    short = duckdb.execute("select list_transform(json_value(?, ?), lambda it : it ->> '$')", [text, PATHS]).fetchone()
    assert (json_texts(text, PATHS),) == short


@pytest.mark.parametrize("text", ["", "text", '{"a":', '{"a":1}x', '{"a":' + "[" * 10**5])
def test_what_is_no_json_has_no_texts(text: str) -> None:
    assert json_texts(text, PATHS) == [None] * len(PATHS)


def like_pattern(limit: int) -> str:
    engine = ROOT / "macros/engine"
    macros = [(engine / f"{name}.sql").read_text() for name in ("inner_wildcards", "like_pattern")]
    template = "".join(macros) + "{{ duckdb__like_pattern('t', 'p', none) }}"
    sql = jinja2.Environment().from_string(template).render()  # noqa: S701  # it is no HTML
    return sql.replace("<= 1\n", f"<= {min(1, limit)}\n").replace("300000", str(limit))


@pytest.mark.slow
def test_a_pattern_matches_as_like_does() -> None:
    chosen = random.Random(1)  # noqa: S311  # no secret
    letters = "ab%_.\\[]{}()*+?^$|\n\u00e9\U0001f600"
    with duckdb.connect() as connection:
        connection.execute("create table texts (t varchar, p varchar)")
        rows = [
            [
                "".join(chosen.choices(letters, k=chosen.randint(0, 9))),
                "".join(chosen.choices("%%__" + letters[:2], k=4)),
            ]
            for _ in range(2_000)
        ]
        rows += [["".join(chosen.choices(letters, k=3)), "".join(chosen.choices(letters, k=3))] for _ in range(2_000)]
        rows = [[text, pattern.replace("\\", "")] for text, pattern in rows]
        connection.executemany("insert into texts values (?, ?)", rows)
        found = connection.execute("select t from texts where t like p").fetchall()
        assert len(found) > 100
        query = f"select t, p from texts where (t like p) is distinct from ({like_pattern(-1)})"
        assert connection.execute(query).fetchall() == []


@pytest.mark.parametrize("pattern", ["%a_%a_%b", "%a%a%a%a%b", "%_%_%_%_%_%b", "%a%", "a%b"])
def test_no_text_makes_a_pattern_take_long(pattern: str) -> None:
    begun = time.process_time()
    query = f"select count(*) from (select repeat('a', 2000) as t, ? as p from range(50)) where {like_pattern(300_000)}"
    duckdb.execute(query, [pattern]).fetchone()
    assert time.process_time() - begun < 5
