"""What a day costs: bytes scanned by this project's run, and by the article's queries on the log table itself."""

from __future__ import annotations

import re

from tests.athena.article_on_raw_logs import ARTICLE, raw_bytes_of_article
from tests.athena.conftest import DAY, SampleDays
from tests.checkout import ROOT


def test_raw_bytes_are_read_once_where_the_article_reads_them_with_every_query(sample_days: SampleDays) -> None:
    ours = sum(query.raw_bytes_scanned for query in sample_days.queries_of(DAY))
    article = raw_bytes_of_article(sample_days.on_athena, DAY)
    assert article == dict.fromkeys(ARTICLE, ours)


def test_the_article_has_no_other_queries() -> None:
    macro = (ROOT / "macros" / "article" / "article_queries.sql").read_text()
    assert re.findall(r"^        '([^']+)':", macro, re.MULTILINE) == list(ARTICLE)
