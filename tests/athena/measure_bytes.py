"""Print what a large day costs, for docs/athena.md: `python -m tests.athena.measure_bytes [--events 100000]`.

A day of the benchmark's log files is reviewed on the local Athena by the wrapper, with all of dbt's tests; then the
article's queries run on the log table itself.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.athena.article_on_raw_logs import raw_bytes_of_article
from tests.athena.on_athena import OnAthena
from tests.local_athena.service import LocalAthena

from tools.benchmark.generate import DAY, generate


def main() -> int:
    """Measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.athena.measure_bytes", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    events = parser.parse_args().events
    with tempfile.TemporaryDirectory() as folder, LocalAthena() as service:
        on_athena = OnAthena.new(service, Path(folder) / "measured")
        generate(Path(folder) / "logs", events)
        service.upload(Path(folder) / "logs", on_athena.place.log_bucket)
        ended = on_athena.review(DAY)
        if ended.code not in (0, 3):
            print(ended.last_lines)
            return 1
        ours = [query for query in on_athena.queries() if query.bytes_scanned]
        article = raw_bytes_of_article(on_athena, DAY)
        raw = sum(query.raw_bytes_scanned for query in ours)
        parquet = sum(query.bytes_scanned for query in ours) - raw
        print(f"| {events:,} events | this project | the article's queries |")
        print("|---|---:|---:|")
        print(f"| log files, compressed | {raw:,} | {sum(article.values()):,} |")
        print(f"| Parquet | {parquet:,} | 0 |")
        print(f"| queries that read data | {len(ours)} | {len(article)} |")
        print("Actions that were called:", ", ".join(sorted(service.faults.calls)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
