"""The catalogue keeps up with AWS: what the installed botocore can call, in the services of seeds/operations.

A new operation that writes is named here when botocore is raised: it gets a line in reviewed_events.csv, or one in
not_reviewed.csv that says why not.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import botocore
import pytest
from tests.checkout import ROOT

from pci_log_review.settings.rows import Row, read_rows

pytestmark = pytest.mark.slow

AREAS = {"identity", "audit logs", "network controls", "keys and secrets", "data stores"}
# Names of operations that only read: a word that says so, and what it reads
READS = re.compile(
    r"(BatchDescribe|BatchGet|Check|Count|Describe|Estimate|Get|Head|Is|List|Lookup|Preview|Query|Scan|Search|Select"
    r"|Simulate|Validate|Verify|View)(?=[A-Z]|$)"
)


def lines(name: str) -> list[Row]:
    return read_rows(ROOT / "seeds" / name)


def reviewed() -> list[Row]:
    """The lines of the catalogue: what counts by its name, and what counts by what its request changes."""
    return lines("catalogue/reviewed_events.csv") + lines("catalogue/reviewed_changes.csv")


@cache
def models() -> list[tuple[str, set[str], set[str]]]:
    """Of each version of each service in botocore: its name there, every name of it, and its operations.

    The files are read as JSON: botocore's own loader takes ten times as long.
    """
    found = []
    for path in sorted((Path(botocore.__file__).parent / "data").glob("*/*/service-2.json*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        model = json.loads(content)
        service, metadata = path.parents[1].name, model["metadata"]
        names = {service, metadata["endpointPrefix"], metadata.get("signingName", service)}
        found.append((service, names, set(model["operations"])))
    return found


@cache
def expression(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in pattern))


def not_said(written: Iterable[tuple[str, str]], catalogue: list[Row], excluded: list[Row]) -> list[tuple[str, str]]:
    """Of operations that write, (event source, name), those that neither of the two names."""
    patterns = defaultdict(list)
    for line in (line for line in catalogue if "%" in line["event_name"]):
        patterns[line["event_source"]].append(line["event_name"])
    known = {(line["event_source"], line["operation"]) for line in excluded}
    known |= {(line["event_source"], line["event_name"]) for line in catalogue}
    return sorted(
        (source, name)
        for source, name in written
        if (source, name) not in known and not any(expression(pattern).fullmatch(name) for pattern in patterns[source])
    )


def writing() -> set[tuple[str, str]]:
    of_service: dict[str, set[str]] = defaultdict(set)
    for service, _, operations in models():
        of_service[service] |= operations
    services = lines("operations/services.csv")
    assert not {line["service"] for line in services} - set(of_service), "botocore no longer has them"
    return {
        (line["event_source"], name)
        for line in services
        for name in of_service[line["service"]]
        if not READS.match(name)
    }


def test_every_writing_operation_is_reviewed_or_excluded_for_a_reason() -> None:
    missing = not_said(writing(), reviewed(), lines("operations/not_reviewed.csv"))
    assert not missing, (
        f"botocore {botocore.__version__} has operations of which nobody has said whether they are reviewed: add each "
        f"to seeds/catalogue/reviewed_events.csv, or to seeds/operations/not_reviewed.csv with a reason: {missing}"
    )


def test_a_new_operation_is_named() -> None:
    catalogue = [{"event_source": "iam.amazonaws.com", "event_name": "Create%"}]
    excluded = [{"event_source": "iam.amazonaws.com", "operation": "TagUser"}]
    new = {("iam.amazonaws.com", name) for name in ("CreateUser", "TagUser", "ResetUser")}
    assert not_said(new, catalogue, excluded) == [("iam.amazonaws.com", "ResetUser")]


def test_every_exclusion_has_a_reason_and_excludes_something() -> None:
    excluded = lines("operations/not_reviewed.csv")
    assert all(line["reason"].strip() for line in excluded)
    names = [(line["event_source"], line["operation"]) for line in excluded]
    assert len(set(names)) == len(names)
    needed = set(not_said(writing(), reviewed(), []))
    assert set(names) == needed, "what is reviewed, or what botocore does not have, needs no exclusion"


def test_every_area_in_which_a_change_matters_has_services() -> None:
    assert {line["area"] for line in lines("operations/services.csv")} == AREAS


def test_every_event_of_the_catalogue_is_an_operation_or_a_name_that_cloudtrail_alone_has() -> None:
    of_source: dict[str, set[str]] = defaultdict(set)
    for _, names, operations in models():
        for name in names:
            of_source[f"{name}.amazonaws.com"] |= operations
    others = {(line["event_source"], line["event_name"]) for line in lines("operations/other_names.csv")}
    named = {
        (line["event_source"], line["event_name"])
        for line in reviewed()
        if "%" not in line["event_source"] + line["event_name"]
    }
    unknown = {(source, name) for source, name in named if name not in of_source[source]}
    assert unknown == others, (
        "misspelt, or names of CloudTrail's own (then say so in seeds/operations/other_names.csv): "
        f"{sorted(unknown ^ others)}"
    )
