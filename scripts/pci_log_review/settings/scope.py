"""The accounts and regions in scope, as macros/coverage/scope_regions.sql has them."""

from __future__ import annotations

from pathlib import Path

from .rows import read_rows


def scope_of(settings: Path, project: Path) -> frozenset[tuple[str, str]]:
    """Every (account id, region) that trail_scope.csv puts in scope; `*` is every region of the catalogue.

    The settings have been checked. The pre-hook checks that dbt finds the same scope, and reads the logs again if it
    does not.
    """
    every = catalogue_regions(project) or ["*"]
    return frozenset(
        (line["account_id"], region)
        for line in read_rows(settings / "trail_scope.csv")
        for region in (every if line["region"] == "*" else [line["region"]])
    )


def catalogue_regions(project: Path) -> list[str]:
    """The regions of the catalogue's aws_regions."""
    return [row["region"] for row in read_rows(project / "seeds" / "catalogue" / "aws_regions.csv")]
