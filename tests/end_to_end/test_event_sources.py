"""The catalogue's documentation says of each service how the name that CloudTrail gives it was established."""

from __future__ import annotations

import csv
import re
from collections import Counter

from tests.checkout import ROOT


def test_each_service_of_the_catalogue_stands_once_in_the_page_of_event_sources() -> None:
    with (ROOT / "seeds" / "catalogue" / "reviewed_events.csv").open(newline="") as file:
        services = {line["event_source"].removesuffix(".amazonaws.com") for line in csv.DictReader(file)} - {"%"}
    _, *lists = re.split(r"^\*\*(?=In |From )", (ROOT / "models" / "event_sources.md").read_text(), flags=re.MULTILINE)
    named: Counter[str] = Counter()
    for text in lists:
        heading, _, names = text.partition(":\n")
        found = re.findall(r"`([a-z0-9-]+)`", names)
        assert int(heading.split()[-1]) == len(found)
        named.update(found)
    assert named == Counter(services)
