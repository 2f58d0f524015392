"""The accounts and regions in scope, as macros/coverage/scope_regions.sql has them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from .rows import Row, read_rows


def scope_of(settings: Path, project: Path) -> frozenset[tuple[str, str]]:
    """Every (account id, region) that trail_scope.csv puts in scope; `*` is every region of a partition.

    The settings have been checked. The pre-hook checks that dbt finds the same scope, and reads the logs again if it
    does not.
    """
    lines = read_rows(settings / "trail_scope.csv")
    return frozenset((line["account_id"], region) for line, region in each_region(lines, catalogue_regions(project)))


def each_region(lines: Iterable[Row], catalogue: Mapping[str, str]) -> Iterator[tuple[Row, str]]:
    """The lines of trail_scope with each region for which they stand; `catalogue` is catalogue_regions(…).

    `*` stands for the regions of the partition in which the account has its other lines; of aws, where it has none.
    """
    lines = list(lines)
    partitions: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        if line["region"] in catalogue:
            partitions[line["account_id"]].add(catalogue[line["region"]])
    for line in lines:
        wanted = partitions.get(line["account_id"], {"aws"})
        every = [region for region, partition in catalogue.items() if partition in wanted] or ["*"]
        for region in every if line["region"] == "*" else [line["region"]]:
            yield line, region


def catalogue_regions(project: Path) -> dict[str, str]:
    """The regions of the catalogue's aws_regions, each with its partition."""
    rows = read_rows(project / "seeds" / "catalogue" / "aws_regions.csv")
    return {row["region"]: row["aws_partition"] for row in rows}
