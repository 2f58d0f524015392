"""Measures the review on generated logs and prints tables; a few minutes, or an hour and more with --full.

    PYTHONPATH=scripts python -m tools.benchmark [--events N] [--rounds N] [--only PART] [--logs KIND] [--full]
        [--with-chdb]

The logs are the same every time: everyday traffic as in real trails, in which one event in 200 is of interest to a
requirement (mix.txt). Nothing is asserted of the times, which are the machine's business, too; but a run that fails, or
that does not find what was planted, ends the benchmark with exit code 1.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.benchmark.parts import (
    VARIANTS,
    Sizes,
    Workshop,
    measure_athena,
    measure_backfill,
    measure_growth,
    measure_run,
)
from tools.benchmark.processes import BenchmarkError
from tools.benchmark.tables import print_machine

_PARTS = {"run": measure_run, "growth": measure_growth, "backfill": measure_backfill, "athena": measure_athena}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tools.benchmark", description="Measures the review on generated logs."
    )
    parser.add_argument("--events", type=int, help="events of the run's day; default: 100,000, with --full 1,000,000")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured; default: %(default)s")
    parser.add_argument(
        "--only", action="append", choices=_PARTS, metavar="PART", help=f"{', '.join(_PARTS)}; repeat it; default: run"
    )
    parser.add_argument(
        "--logs",
        action="append",
        choices=VARIANTS,
        metavar="KIND",
        help=f"for run, beside the usual: {', '.join(VARIANTS)}; repeat it; default: all",
    )
    parser.add_argument("--full", action="store_true", help="every part, up to 10,000,000 events and 100 days")
    parser.add_argument(
        "--with-chdb", action="store_true", help="the article's queries in chdb, too, if it is installed"
    )
    parser.add_argument("--folder", type=Path, help="where to write the logs; default: the system's temporary folder")
    return parser.parse_args()


def main() -> int:
    """Measures the chosen parts."""
    given = _arguments()
    more = (1_000_000, 10_000_000) if given.full else ()
    sizes = Sizes(
        events=given.events or (1_000_000 if given.full else 100_000),
        rounds=given.rounds,
        variants=tuple(given.logs or VARIANTS),
        growth_by_events=(10_000, 100_000, *more),
        growth_by_files=(20, 200, 2_000),
        growth_by_history=(1, 10, 100) if given.full else (1, 10),
        growth_by_accounts=(10, 1_000),
        backfill_days=30,
        with_chdb=given.with_chdb,
    )
    print_machine(sizes.rounds)
    try:
        if given.folder:
            given.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="pci-log-review-benchmark-", dir=given.folder) as folder:
            for part in given.only or (_PARTS if given.full else ["run"]):
                _PARTS[part](Workshop.at(Path(folder)), sizes)
    except BenchmarkError as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
