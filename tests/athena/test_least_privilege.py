"""The deployed policies: the whole walk of the sample days needs no more, and nothing in them goes unused."""

from __future__ import annotations

import csv

from tests.athena.conftest import SampleDays
from tests.deploy.template import POLICIES, files_of_the_review
from tests.local_athena.iam import Grant, Role, rendered


def test_the_walk_asks_for_nothing_that_the_policies_do_not_allow(sample_days: SampleDays) -> None:
    role = sample_days.on_athena.role
    assert role is not None
    assert role.calls
    assert not role.denied, "\n".join(f"denied: {call}" for call in role.denied)


def test_each_action_on_each_resource_is_needed_by_a_call_or_listed_with_its_reason(sample_days: SampleDays) -> None:
    role = sample_days.on_athena.role
    assert role is not None
    # the files' own grants, in the same order as those of the role, whose variables have values
    as_written = Role(rendered(files_of_the_review(), _Itself())).grants
    used = role.used()
    unused = {written for written, grant in zip(as_written, role.grants, strict=True) if grant not in used}
    with (POLICIES / "not_exercised.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert all(line["reason"] for line in lines)
    listed = {Grant(line["policy"], line["action"], line["resource"]) for line in lines}
    told = [f"not needed by any call, and not listed: {grant}" for grant in unused - listed]
    told += [f"listed, but needed or in no policy: {grant}" for grant in listed - unused]
    assert not told, "\n".join(sorted(told))


class _Itself(dict[str, str]):
    """Leaves each variable as it is."""

    def __missing__(self, name: str) -> str:
        return f"${{{name}}}"
