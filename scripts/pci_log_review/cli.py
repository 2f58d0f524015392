"""The command line: pci-log-review."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from .dbt_run import DbtFailed
from .log_store import LogStoreError
from .new_settings import write_settings
from .project import ResultsError, RunOptions, UsageError, project_dir
from .reporter import JsonReporter, Reporter, TextReporter
from .review import Exit, review_day

_F = TypeVar("_F", bound=Callable[..., Any])


def _option(name: str, help_text: str, **kwargs: Any) -> Callable[[_F], _F]:
    """An option that an environment variable PCI_LOG_REVIEW_<OPTION> can set as well."""
    envvar = f"PCI_LOG_REVIEW_{name.strip('-').replace('-', '_').upper()}"
    return click.option(name, help=help_text, envvar=envvar, show_envvar=True, **kwargs)


class _Day(click.ParamType[date]):
    name = "yyyy-mm-dd"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-11-22", param, ctx)


_FOLDER = click.Path(path_type=Path, file_okay=False)
_LOGS = "Folder or s3://bucket/prefix that holds AWSLogs/."


@click.group(context_settings={"max_content_width": 120, "help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pci-log-review")
def main() -> None:
    """The daily PCI DSS review of AWS CloudTrail logs.

    Every day it reads the log files that were delivered the day before, keeps every event that PCI DSS requirement 10
    says must be reviewed, shows what was covered, and writes the evidence.
    """
    # Libraries log the errors that they raise, with their tracebacks; the reporter tells them in one line
    logging.disable()


@main.command()
@_option("--logs", _LOGS, required=True)
@_option("--run-date", "The day to review: the UTC day of delivery.  [default: yesterday]", type=_Day())
@_option("--target", "Where it runs: local (embedded) or athena.", default="local", show_default=True, metavar="TARGET")
@_option("--evidence", "Folder for the evidence.", default="evidence", show_default=True, type=_FOLDER)
@_option("--settings", "Folder of your settings.  [default: seeds/settings]", type=_FOLDER)
@_option("--state", "Folder of the embedded target's tables.  [default: state]", type=_FOLDER)
@_option(
    "--log-format", "Messages for people, or one JSON object a line.", default="text", show_default=True,
    type=click.Choice(["text", "json"]),
)  # fmt: skip
@click.pass_context
def run(
    ctx: click.Context,
    logs: str,
    run_date: date | None,
    target: str,
    evidence: Path,
    settings: Path | None,
    state: Path | None,
    log_format: str,
) -> None:
    """Review a day's logs.

    Exit codes: 0 the day is reviewed and complete; 1 the run failed; 2 wrong usage or settings; 3 the review ran but
    the day is incomplete (logs missing, a file unreadable, a row expectation broken), as the last lines say.
    """
    reporter: Reporter = JsonReporter() if log_format == "json" else TextReporter()
    try:
        project = project_dir()
        options = RunOptions(
            run_date=run_date or _yesterday(),
            logs=logs if logs.startswith("s3://") else str(Path(logs).absolute()),
            target=target,
            settings=(settings or project / "seeds" / "settings").absolute(),
            evidence=evidence.absolute(),
            state=(state or project / "state").absolute(),
        )
        if options.run_date > datetime.now(UTC).date():
            raise UsageError(f"run date {options.run_date} is in the future")
        reporter.started(options.run_date, logs, target)
        review = review_day(options, reporter.progress)
    except UsageError as error:
        reporter.failed(str(error), Exit.USAGE)
        ctx.exit(Exit.USAGE)
    except (DbtFailed, LogStoreError, ResultsError) as error:
        reporter.failed(str(error), Exit.FAILED)
        ctx.exit(Exit.FAILED)
    reporter.reviewed(options.run_date, review)
    ctx.exit(review.exit)


@main.command()
@_option("--logs", _LOGS, required=True)
@_option("--settings", "Folder to write; it may not hold settings yet.", required=True, type=_FOLDER)
def init(logs: str, settings: Path) -> None:
    """Write a settings folder to start from, with the accounts and regions found in the logs."""
    try:
        accounts, regions, odd = write_settings(logs, settings)
    except (UsageError, LogStoreError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{settings}: {accounts} accounts, {regions} accounts x regions with logs, each expected daily;")
    click.echo("every other region is in scope too, and may be quiet. See trail_scope.csv.")
    for name in odd:
        click.echo(f"Left out: AWSLogs/{name} is no account id of 12 digits.")
    click.echo("Now name what is yours (the README says how): cardholder_data_stores.csv, without which 10.2.1.1 finds")
    click.echo("nothing, audit_log_stores.csv, administrators.csv, expected_activity.csv.")


def _yesterday() -> date:
    return datetime.now(UTC).date() - timedelta(days=1)


if __name__ == "__main__":
    sys.exit(main())
