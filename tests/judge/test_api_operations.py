"""The catalogue against the API models that AWS ships: of the services that guard access, logs and the network, each
operation that changes something has a line, or services.csv says that it is left out. An AWS library with a new
operation needs a decision.
"""

from __future__ import annotations

import csv
import re
from fnmatch import fnmatchcase

import pytest
from botocore.session import get_session
from tests.checkout import ROOT

# How operations begin that change nothing, and those that put labels on things
READS = re.compile(
    "(Get|List|Describe|BatchGet|BatchDescribe|Search|Lookup|Simulate|Generate|Test|Check|Validate|Preview|Estimate|View"
    "|Is|Head|Query|Scan|Select|Verify|Can|Filter|Discover|Tail|Retrieve|Detect|Evaluate|Start.*Query|Tag|Untag)[A-Z0-9]?"
)


def lines_of(path: str) -> list[dict[str, str]]:
    with (ROOT / path).open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def catalogued() -> dict[str, list[str]]:
    """The events of each service, as patterns."""
    lines = lines_of("seeds/catalogue/reviewed_events.csv")
    services = {line["event_source"] for line in lines}
    return {
        service: [
            line["event_name"].replace("%", "*")
            for line in lines
            if fnmatchcase(service, line["event_source"].replace("%", "*"))
        ]
        for service in services
    }


@pytest.mark.parametrize("service", lines_of("tests/judge/services.csv"), ids=lambda service: str(service["client"]))
def test_each_operation_that_changes_something_is_in_the_catalogue(
    service: dict[str, str], catalogued: dict[str, list[str]]
) -> None:
    operations = get_session().get_service_model(service["client"]).operation_names
    changing = [name for name in operations if not READS.match(name)]
    assert len(changing) > 2
    names, left_out = catalogued[service["event_source"]], service["left_out"].split()
    missing = [name for name in changing if not any(fnmatchcase(name, pattern) for pattern in names)]
    assert not [name for name in missing if not any(fnmatchcase(name, pattern) for pattern in left_out)]
    assert not [pattern for pattern in left_out if not any(fnmatchcase(name, pattern) for name in missing)]
