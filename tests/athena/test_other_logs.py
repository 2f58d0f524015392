"""Logs that are no samples: both targets leave the same rows of them."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.athena.conftest import DAY
from tests.athena.generated_events import SPECIAL_TEXTS, generated_records
from tests.athena.on_athena import RELATIONS, OnAthena, Row, differences, local_rows
from tests.checkout import NO_TESTS, ROOT, Checkout, Ended
from tests.local_athena.service import LocalAthena

REAL_LOGS = ROOT.parent / "shared" / "real_logs"
ORGANIZATION = "o-a1b2c3d4e5"
PREFIX = "security/trail logs"
FOLDER = f"{{account}}/CloudTrail/{{region}}/{DAY.replace('-', '/')}"


@dataclass(frozen=True)
class OnBoth:
    """The day, reviewed on both targets; `rows` has each relation's rows, local first."""

    on_athena: OnAthena
    ended: tuple[Ended, Ended]
    rows: dict[str, tuple[list[Row], list[Row]]]

    def check(self, relation: str) -> None:
        """That the two targets have the same rows."""
        told = differences(*self.rows[relation], relation)
        assert not told, "\n".join(told[:12])


def reviewed_on_both(
    service: LocalAthena, home: Path, logs: Path, settings: Path | None, prefix: str = "", organization: str = ""
) -> OnBoth:
    """Reviews the logs of a folder on the embedded target, and on Athena from a bucket."""
    on_athena = OnAthena.new(service, home / "on-athena")
    on_local = Checkout.of(home / "on-local")
    service.upload(logs, on_athena.place.log_bucket, prefix)
    arguments = ("--settings", str(settings)) if settings else ()
    local = on_local.run("run", "--run-date", DAY, "--logs", str(logs), *arguments, **NO_TESTS)
    where = f"{on_athena.place.logs}/{prefix}".rstrip("/")
    variables = NO_TESTS | {"PCI_LOG_REVIEW_ORGANIZATION_ID": organization}
    athena = on_athena.review(DAY, "--logs", where, *arguments, **variables)
    assert 1 not in (local.code, athena.code), local.last_lines + athena.last_lines
    rows = {relation: (local_rows(on_local, relation), on_athena.rows(relation)) for relation in RELATIONS}
    return OnBoth(on_athena, (local, athena), rows)


@pytest.fixture(scope="module")
def generated(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> OnBoth:
    """Generated events, delivered to an organization's trail below a prefix."""
    home = tmp_path_factory.mktemp("generated")
    logs, records = home / "logs", generated_records()
    folder = logs / "AWSLogs" / ORGANIZATION / FOLDER.format(account="111122223333", region="us-east-1")
    folder.mkdir(parents=True)
    third = len(records) // 3
    # the last third of the first file stands in the second one, too: delivered twice
    for name, part in (("first", records[: 2 * third]), ("second", records[third:])):
        text = '{"Records":[' + ",".join(part) + "]}"
        (folder / f"111122223333_CloudTrail_us-east-1_{name}.json.gz").write_bytes(gzip.compress(text.encode()))
    return reviewed_on_both(local_athena, home, logs, None, PREFIX, ORGANIZATION)


@pytest.fixture(scope="module")
def real(local_athena: LocalAthena, tmp_path_factory: pytest.TempPathFactory) -> OnBoth:
    """All published logs at hand, laid into the folders of one day."""
    if not REAL_LOGS.is_dir():
        pytest.skip("the real logs are not here (a folder shared/real_logs beside the repository)")
    home = tmp_path_factory.mktemp("real")
    logs, settings = home / "logs", home / "settings"
    for path in sorted(REAL_LOGS.glob("*/AWSLogs/*/CloudTrail/*/*/*/*/*.json.gz")):
        account, region = path.parts[-7], path.parts[-5]
        # one publisher blotted its folders out; its odd events are worth reading
        account = account if account.isdecimal() and len(account) == 12 else "999999999999"
        region = region if region != "-" else "eu-central-1"
        folder = logs / "AWSLogs" / FOLDER.format(account=account, region=region)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "-".join([path.parts[-9], *path.parts[-4:]])).write_bytes(path.read_bytes())
    begun = Checkout.of(home).run("init", "--logs", str(logs), "--settings", str(settings))
    assert begun.code == 0, begun.last_lines
    for name, lines in {
        "cardholder_data_stores": ["s3.amazonaws.com,%-%,", "secretsmanager.amazonaws.com,%stratus%,"],
        "audit_log_stores": ["s3.amazonaws.com,%trail%,", "cloudtrail.amazonaws.com,%a%,"],
        "administrators": ["%:user/%a%,", "%:assumed-role/%Admin%,"],
        "expected_activity": ["10.2.1.%,%:assumed-role/%,%,Describe%,%,Seen,me@example.com,2026-01-01,2027-01-01"],
    }.items():
        with (settings / f"{name}.csv").open("a") as file:
            file.writelines(f"{line.rstrip(',') + ',as a test' if line.endswith(',') else line}\n" for line in lines)
    return reviewed_on_both(local_athena, home, logs, settings)


@pytest.mark.parametrize("relation", RELATIONS)
def test_both_targets_leave_the_same_rows_of_all_published_logs(real: OnBoth, relation: str) -> None:
    real.check(relation)


def test_both_targets_end_alike_on_all_published_logs(real: OnBoth) -> None:
    local, athena = real.ended
    assert local.code == athena.code, athena.last_lines
    assert len(real.rows["findings"][0]) > 300


@pytest.mark.parametrize("relation", RELATIONS)
def test_both_targets_leave_the_same_rows_of_odd_events(generated: OnBoth, relation: str) -> None:
    generated.check(relation)


def test_odd_events_reach_every_requirement(generated: OnBoth) -> None:
    counts = {row["requirement"]: int(row["findings"] or 0) for row in generated.rows["daily_review"][1]}
    assert min(counts.values()) > 0, counts
    found = "".join(str(row) for row in generated.rows["findings"][1])
    assert all(repr(text)[1:-1] in found for text in SPECIAL_TEXTS)


def test_an_organizations_trail_below_a_prefix_is_read(generated: OnBoth) -> None:
    on_athena = generated.on_athena
    root = f"s3://{on_athena.place.log_bucket}/{PREFIX}/AWSLogs/{ORGANIZATION}/"
    glue = on_athena.service.glue
    table = glue.get_table(DatabaseName=on_athena.place.database, Name="cloudtrail_logs")["Table"]
    assert table["StorageDescriptor"]["Location"].rstrip("/") == root.rstrip("/")
    (files,) = (rows for _, rows in [generated.rows["log_files"]])
    assert len(files) == 2
    assert all((row["log_file"] or "").startswith(f"AWSLogs/{ORGANIZATION}/111122223333/CloudTrail/") for row in files)
    assert all(int(row["events"] or 0) > 100 for row in files)
