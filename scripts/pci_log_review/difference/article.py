"""Which rows the article's queries return of the base: nobody can approve that one of them vanishes."""

from __future__ import annotations

import duckdb

from ..warehouse.json_texts import json_texts
from .build import Logs, Project
from .rows import VANISHED, Changes, build_attached

_FINDINGS = '"review"."main"."findings"'


class ArticleUnknown(Exception):
    """The test is not as it is known."""


def mark_article_rows(changes: Changes, base: Project, logs: Logs) -> str | None:
    """Marks the vanished rows that the base's article queries return, on the base's tables.

    Returns why they can't be told, if so: then every vanished row is marked.
    """
    test = base.article_test()
    if test is None:
        reason: str | None = "the base has no test article_queries_are_covered"
    else:
        try:
            _mark(changes, base, test, str(logs.last))
            return None
        except (ArticleUnknown, duckdb.Error) as error:
            reason = f"the base's test article_queries_are_covered can't be asked: {str(error).splitlines()[0]}"
    changes.connection.execute("update changes set is_article = true where kind = ?", [VANISHED])
    return reason


def _mark(changes: Changes, base: Project, test: str, last_day: str) -> None:
    """The test returns what the article's queries return, but for findings: asked without any, it returns all."""
    connection = changes.connection
    if _FINDINGS not in test:
        raise ArticleUnknown("it does not ask for findings")
    test = test.replace(_FINDINGS, f"(from {_FINDINGS} limit 0)")
    connection.create_function("pci_json_texts", json_texts, ["VARCHAR", "VARCHAR[]"], "VARCHAR[]")
    connection.execute("create table article (requirement text, account text, id text, time text, event text)")
    days = connection.execute("select distinct run_date from changes where kind = ?", [VANISHED]).fetchall()
    with build_attached(connection, base.database):
        for (day,) in days:
            of_day = test.replace(f"date '{last_day}'", f"date '{day}'")
            connection.execute(f"insert into article {of_day}")
    connection.execute(
        """
        update changes set is_article = true
        where kind = ? and exists (
            from article where
                article.requirement = changes.requirement
                and article.account is not distinct from changes.aws_account_id
                and article.id = coalesce(changes.event_id, '')
                and article.time = coalesce(changes.event_time, '')
        )
        """,
        [VANISHED],
    )
