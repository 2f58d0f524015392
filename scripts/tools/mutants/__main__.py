"""Changes the code in one place after the other, and runs the tests that are about that place: which changes does none
of them notice?

    make mutants MUTANTS_ARGS="--sample 10"                          ten mutants of each file, chosen by the seed
    make mutants MUTANTS_ARGS="scripts/pci_log_review/evidence"      all of a folder

It works on a copy of the project and takes hours for all. A survivor that accepted.csv names, with the reason why no
test has to notice it, counts as noticed. Exit code 1: less than 95 % were noticed.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from tools.mutants.changes import Mutant, mutants_of

PROJECT = Path(__file__).resolve().parents[3]
ACCEPTED = Path(__file__).with_name("accepted.csv")
NEEDED = 0.95
LONGEST = 900  # seconds; a mutant may make a loop without end

_PACKAGE = "scripts/pci_log_review/"
_SAMPLE_DAYS = "tests/end_to_end/test_sample_days.py"
_RULES = "tests/end_to_end/test_rules.py -k line_of_the_catalogue or rule_sets or error_code"
# Tests of a file: the first that its name begins with. Each line of tests is run if the one before noticed nothing.
TESTS: dict[str, list[str]] = {
    f"{_PACKAGE}evidence/tables.py": ["tests/evidence/test_tables.py"],
    f"{_PACKAGE}evidence/folder.py": ["tests/evidence/test_evidence_store.py", "tests/evidence"],
    f"{_PACKAGE}evidence/store.py": ["tests/evidence/test_evidence_store.py", "tests/evidence"],
    f"{_PACKAGE}evidence/s3.py": ["tests/evidence/test_evidence_store.py", "tests/evidence"],
    f"{_PACKAGE}evidence/": [
        "tests/evidence/test_verify.py tests/evidence/test_history.py tests/evidence/test_sign_off.py",
        "tests/evidence",
    ],
    f"{_PACKAGE}cloudtrail/": ["tests/reader/test_digests.py tests/reader/test_must_be_proven.py", "tests/reader"],
    f"{_PACKAGE}review/baseline.py": ["tests/evidence/test_baseline.py", _SAMPLE_DAYS],
    f"{_PACKAGE}review/prechecks.py": ["tests/wrapper/test_prechecks.py", "tests/wrapper"],
    f"{_PACKAGE}review/": [
        "tests/evidence/test_review_day.py tests/evidence/test_status.py tests/evidence/test_expected_lines.py "
        "tests/evidence/test_findings_by_requirement.py tests/wrapper/test_prechecks.py",
        f"{_SAMPLE_DAYS} tests/end_to_end/test_operations.py tests/end_to_end/test_proof.py",
    ],
    "seeds/catalogue/reviewed_events.csv": ["tests/judge", _RULES],
    "seeds/": [_RULES, f"{_SAMPLE_DAYS} tests/end_to_end/test_real_logs.py"],
    "": ["dbt build", _RULES, f"{_SAMPLE_DAYS} tests/end_to_end/test_expected.py tests/end_to_end/test_cases.py"],
}
FILES = (
    f"{_PACKAGE}evidence", f"{_PACKAGE}review", f"{_PACKAGE}cloudtrail/digests.py",
    f"{_PACKAGE}cloudtrail/digest_files.py", f"{_PACKAGE}cloudtrail/keys.py", "models", "macros", "seeds/catalogue",
)  # fmt: skip


@click.command()
@click.argument("places", nargs=-1)
@click.option("--sample", help="So many mutants of each file, chosen by chance.  [default: all]", type=int)
@click.option("--seed", help="Which chance.", default=1, show_default=True)
def main(places: tuple[str, ...], sample: int | None, seed: int) -> None:
    """Mutate the files in PLACES, or in all that matters, and print what no test notices."""
    chosen = list(_chosen(places or FILES, sample, seed))
    reasons = _accepted()
    survivors: list[Mutant] = []
    accepted = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as home:
        copy = _copied(Path(home) / "project")
        for tests in dict.fromkeys(tests for mutant in chosen for tests in _tests_of(mutant)):
            if not _pass(copy, tests):  # then they would notice whatever it is
                raise click.ClickException(f"{tests} fails on the code as it is")
        for number, mutant in enumerate(chosen, 1):
            if mutant.name in reasons:
                accepted += 1
                continue
            begun = time.monotonic()
            noticed_by = _noticed_by(copy, mutant)
            if not noticed_by:
                survivors.append(mutant)
            told = f"noticed by {noticed_by}" if noticed_by else "SURVIVED"
            seconds = time.monotonic() - begun
            click.echo(f"{number}/{len(chosen)} {mutant.file}:{mutant.line} {mutant.change}: {told}, {seconds:.0f} s")
    share = 1 - len(survivors) / len(chosen) if chosen else 1
    click.echo(f"{len(chosen)} mutants, {len(survivors)} survived, {accepted} are accepted: {share:.1%} noticed")
    for mutant in survivors:
        click.echo(f"  {mutant.name}")
    sys.exit(share < NEEDED)


def _chosen(places: tuple[str, ...], sample: int | None, seed: int) -> Iterator[Mutant]:
    chance = random.Random(seed)  # noqa: S311  # no secret depends on it
    for place in places:
        path = PROJECT / place
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.suffix in (".py", ".sql", ".csv") and file.name != "__init__.py":
                found = mutants_of(PROJECT, file.relative_to(PROJECT).as_posix())
                yield from chance.sample(found, sample) if sample and sample < len(found) else found


def _accepted() -> dict[str, str]:
    with ACCEPTED.open(encoding="utf-8", newline="") as file:
        return {line["mutant"]: line["reason"] for line in csv.DictReader(file)}


def _copied(copy: Path) -> Path:
    """A copy of the files that git knows, or would: what is mutated is never the checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607
        cwd=PROJECT, capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, copy / name)
    shutil.copy(PROJECT / "profiles.example.yml", copy / "profiles.yml")
    return copy


def _noticed_by(copy: Path, mutant: Mutant) -> str | None:
    """The tests that failed, or None."""
    path, before = copy / mutant.file, (copy / mutant.file).read_bytes()
    path.write_bytes(mutant.applied(before))
    try:
        return next((tests for tests in _tests_of(mutant) if not _pass(copy, tests)), None)
    finally:
        path.write_bytes(before)


def _tests_of(mutant: Mutant) -> list[str]:
    return next(tests for name, tests in TESTS.items() if mutant.file.startswith(name))


def _pass(copy: Path, tests: str) -> bool:
    environment = os.environ | {
        "PYTHONPATH": f"{copy / 'scripts'}{os.pathsep}{copy}",
        "DBT_PROFILES_DIR": str(copy),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    with tempfile.TemporaryDirectory(prefix="mutant-", dir=copy.parent) as state:
        if tests == "dbt build":
            environment["PCI_LOG_REVIEW_STATE"] = state
            dbt = ["-c", "from dbt.cli.main import cli; cli()", "--quiet", "build", "--fail-fast"]
            where = ["--target-path", str(copy.parent / "target"), "--log-path", state]
            command = [sys.executable, *dbt, "--vars", "{run_date: 2026-03-10}", *where]
        else:
            files, _, only = tests.partition(" -k ")
            how = ["-q", "-x", "-p", "no:cacheprovider", "--basetemp", f"{state}/tests"]
            command = [sys.executable, "-m", "pytest", *how, *files.split(), *(["-k", only] if only else [])]
        try:
            ended = subprocess.run(  # noqa: S603  # every word is ours
                command, cwd=copy, env=environment, capture_output=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return ended.returncode == 0


if __name__ == "__main__":
    main()
