"""`diff` on real branches of a repository of its own: what is shown, in which direction, and how it ends."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess

import pytest
from tests.checkout import ROOT, Checkout, Ended

DAY = "2026-03-10"
CATALOGUE = "seeds/catalogue/reviewed_events.csv"
DEPLOY = "role,111122223333,example-pay-ci-deploy"
BUCKET = ",s3.amazonaws.com,CreateBucket,example-pay-settlement-2026"
APPROVED = "seeds/approved_changes.csv"


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """The project in a repository with one commit, `main`."""
    checkout = Checkout.of(tmp_path_factory.mktemp("clone"), copied=True)
    shutil.copy(ROOT / "profiles.example.yml", checkout.project)
    git(checkout, "init", "--quiet", "--initial-branch", "main")
    commit(checkout)
    return checkout


def git(checkout: Checkout, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(checkout.project), *who, *arguments], check=True, capture_output=True)


def commit(checkout: Checkout) -> None:
    git(checkout, "add", "--all")
    git(checkout, "commit", "--quiet", "--message", "as it is")


def branch(checkout: Checkout, name: str) -> None:
    git(checkout, "checkout", "--quiet", "--force", "-B", name, "main")
    git(checkout, "clean", "--quiet", "--force", "-d")


def diff(checkout: Checkout, base: str = "main") -> Ended:
    return checkout.run("diff", "--base", base, "--from", DAY, "--output", str(checkout.home / "diff"))


def removed_line(checkout: Checkout, begin: str) -> None:
    path = checkout.project / CATALOGUE
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(begin)]
    assert len(kept) < len(lines)
    path.write_text("".join(kept))


def test_a_branch_that_takes_controls_away_is_refused_and_says_which(clone: Checkout) -> None:
    branch(clone, "weaker")
    removed_line(clone, "10.2.1.5,iam.amazonaws.com,CreateUser,")  # has rows: approved
    removed_line(clone, "10.2.1.6,cloudtrail.amazonaws.com,StopLogging,")  # the article's: nobody can
    removed_line(clone, "10.2.1.7,ec2.amazonaws.com,CreateFleet,")  # no row shows it
    model = "models/requirements/pci_10_2_1_7_system_object_changes.sql"
    clone.broken(model, "where is_in_catalogue", "where is_in_catalogue and event_name <> 'RunInstances'")
    with (clone.project / CATALOGUE).open("a") as file:
        file.write("10.2.1.6,s3.amazonaws.com,GetObject,always,Read an object,To see rows appear.,\n")
    with (clone.project / "seeds/settings/expected_activity.csv").open("a") as file:
        file.write(f"10.2.1.7,{DEPLOY},{BUCKET},Deployed,ada@example.com,2026-01-01,2026-12-31\n")
    with (clone.project / APPROVED).open("a") as file:
        file.write("10.2.1.5,iam.amazonaws.com/CreateUser,vanished,Nobody may,ada@example.com,2026-03-11\n")
        file.write("10.2.1.6,cloudtrail.amazonaws.com/StopLogging,vanished,Please,ada@example.com,2026-03-11\n")
    (clone.project / "tests/singular/daily_review_counts_every_finding.sql").unlink()
    yml = clone.project / "tests/singular/singular.yml"
    entries = yml.read_text().split("\n  - name: ")
    yml.write_text("\n  - name: ".join(entry for entry in entries if "daily_review_counts" not in entry))
    commit(clone)

    ended = diff(clone)
    assert ended.code == 5, ended.text
    text = ended.text
    assert "VANISHED:" in text
    assert text.index("VANISHED:") < text.index("APPEARED:") < text.index("WEAKER than before:")
    article = text[text.index("The article's queries return these") :]
    assert "10.2.1.6 cloudtrail.amazonaws.com/StopLogging (1 rows)" in article
    assert "10.2.1.7,ec2.amazonaws.com/CreateFleet,vanished,,," in article
    assert "10.2.1.7,ec2.amazonaws.com/RunInstances,vanished,,," in article
    assert "SQL that changed: model pci_10_2_1_7_system_object_changes" in text
    assert "10.2.1.5 iam.amazonaws.com/CreateUser vanished (" in text
    assert "catalogue line 10.2.1.7 ec2.amazonaws.com/CreateFleet: removed; it covered: " in text
    assert "test daily_review_counts_every_finding: removed" in text
    assert "line of expected_activity 10.2.1.7 role 111122223333 example-pay-ci-deploy" in text
    assert "10.2.1.7,s3.amazonaws.com/CreateBucket,became expected,,," in article

    told = json.loads((clone.home / "diff" / "diff.json").read_text())
    assert told["exit"] == 5
    assert told["counts"]["10.2.1.6"]["appeared"] > 30
    with (clone.home / "diff" / "rows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len([row for row in rows if row["kind"] == "appeared"]) == told["counts"]["10.2.1.6"]["appeared"]
    assert [row["is_article"] for row in rows if row["event"].endswith("/StopLogging")] == ["true"]
    assert "NOT APPROVED" in (clone.home / "diff" / "diff.md").read_text()


def test_a_renamed_column_loses_no_row_and_is_named(
    clone: Checkout,
) -> None:
    branch(clone, "renamed")
    for path in (path for kind in ("sql", "yml", "md") for path in clone.project.rglob(f"*.{kind}")):
        if "target" not in path.parts and "expected_reason" in (text := path.read_text()):
            path.write_text(text.replace("expected_reason", "reason_given"))
    ended = diff(clone)  # not committed: it is the working tree that is compared
    assert ended.code == 4, ended.text
    assert "column findings.expected_reason: removed" in ended.text
    assert "contract findings: column reason_given added" in ended.text
    assert "VANISHED" not in ended.text


def test_a_project_that_cannot_be_built_is_exit_1_and_says_why(clone: Checkout) -> None:
    branch(clone, "broken")
    model = "models/requirements/pci_10_2_1_7_system_object_changes.sql"
    clone.broken(model, "where is_in_catalogue", "where {{ nonsense() }}")
    ended = diff(clone)
    assert ended.code == 1, ended.text
    assert "the working tree can't be built" in ended.text
    assert "nonsense" in ended.text


def test_a_base_that_git_does_not_know_is_wrong_usage_and_leaves_no_worktree(clone: Checkout) -> None:
    assert diff(clone, "no-such-branch").code == 2
    assert diff(clone, "--output=x").code == 2
    listed = subprocess.run(
        ["git", "-C", str(clone.project), "worktree", "list"], capture_output=True, text=True, check=True
    )
    assert len(listed.stdout.splitlines()) == 1
