"""The command line: pci-log-review."""

from __future__ import annotations

import io
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click

from .cloudtrail.store import LogStoreError
from .common import clock
from .common.aws import named_path, named_place
from .common.errors import UsageError
from .common.project import PROJECT, project_dir, write_project
from .common.text import printable
from .console.difference import print_difference
from .console.findings import for_messages, print_event
from .console.reporter import JsonReporter, TextReporter, print_day, print_status, print_verified
from .difference.build import Logs, NotBuilt, sample_logs
from .difference.compare import compared
from .difference.written import write_difference
from .evidence.chain import mend_latest, records
from .evidence.history import Due, due_days, history
from .evidence.sealed import read_day
from .evidence.sign_off import parse_decision, sign_off
from .evidence.store import EvidenceError, EvidenceStore, Locked
from .evidence.verify import verify
from .notify import Message, check_places, notify
from .pages.days import report_of, seen_before, write_index
from .pages.grouping import group
from .review.day import Exit, Reviewed
from .review.options import EvidencePlace, Run, RunOptions, open_run
from .review.prechecks import check_run
from .review.run import Outcome, Reporter, all_days, run_days
from .settings.new import write_settings

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
            day = datetime.strptime(value, "%Y-%m-%d").date()
        except ValueError:
            self.fail(f"{value!r} is not a day; write it as 2026-11-22", param, ctx)
        if day < clock.CLOUDTRAIL_BEGAN:
            self.fail(f"{day} is before CloudTrail began, on {clock.CLOUDTRAIL_BEGAN}", param, ctx)
        return day


class _Sha256(click.ParamType[str]):
    name = "sha256"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = str(value).strip().lower()
        if not re.fullmatch("[0-9a-f]{64}", found):
            self.fail(f"{value!r} is not a hash of 64 hex digits", param, ctx)
        return found


_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)
_LOGS = "Folder or s3://bucket/prefix that holds AWSLogs/."


def _evidence_option(command: _F) -> _F:
    """Where the evidence lies."""
    help_text = "Folder or s3://bucket/prefix of the evidence."
    return _option("--evidence", help_text, default="evidence", show_default=True)(command)


def _written_evidence_options(command: _F) -> _F:
    """The same, and what S3 has to do with what is written there."""
    for option in (
        _option(
            "--evidence-retention-mode", "S3 Object Lock: who may delete before the time is over.",
            default="GOVERNANCE", show_default=True, type=click.Choice(["GOVERNANCE", "COMPLIANCE"]),
        ),
        _option(
            "--evidence-retention-days", "S3 Object Lock: lock each file of the evidence for so many days.",
            type=click.IntRange(min=1),
        ),
        _option("--evidence-kms-key", "S3: encrypt the evidence with this KMS key.", metavar="KEY"),
        _evidence_option,
    ):  # fmt: skip
        command = option(command)
    return command


def _evidence_place(given: dict[str, Any]) -> EvidencePlace:
    """What the options of _written_evidence_options say."""
    names = ("evidence_kms_key", "evidence_retention_days", "evidence_retention_mode")
    return EvidencePlace(given["evidence"], *(given[name] for name in names))


def _project_option(command: _F) -> _F:
    """A project that somebody has changed, which project_dir then gives."""

    def named(_: click.Context, __: click.Parameter, value: Path | None) -> None:
        if value:
            os.environ[PROJECT] = str(value)

    help_text = "Folder of a dbt project, as `pci-log-review project` writes one.  [default: the shipped one]"
    return _option("--project", help_text, type=_FOLDER, callback=named, expose_value=False, is_eager=True)(command)


class _Group(click.Group):
    """Reports errors of every command as one line for each problem."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except UsageError as error:
            TextReporter().failed(str(error))
            ctx.exit(Exit.USAGE)
        except (EvidenceError, Locked, LogStoreError, NotBuilt, OSError) as error:
            TextReporter().failed(str(error))
            ctx.exit(Exit.FAILED)
        except KeyboardInterrupt:
            TextReporter().failed(_INTERRUPTED)
            ctx.exit(Exit.INTERRUPTED)


_INTERRUPTED = "it was interrupted (Ctrl-C)"


@click.group(cls=_Group, context_settings={"max_content_width": 120, "help_option_names": ["-h", "--help"]})
@click.version_option(package_name="pci-log-review")
def main() -> None:
    """The daily PCI DSS review of AWS CloudTrail logs.

    Every day it reads the log files that were delivered the day before, keeps every event that PCI DSS requirement 10
    says must be reviewed, shows what was covered, and seals the evidence. A person then signs it off.

    \b
    Exit code  Meaning
            0  done; of run: every day is reviewed and complete
            1  run: a day failed, nobody could be told, or the evidence is not as it was sealed; verify: something was
               changed, removed or added; all: the evidence or the logs can't be read or written
            2  wrong usage or settings, no logs at the place named, no credentials: nothing was done
            3  run: a review ran, but its day is incomplete
            4  diff: something changed
            5  diff: something vanished or became expected without approval
          130  interrupted (Ctrl-C); days that were sealed before stand
          143  run, diff: told to end (SIGTERM); days that were sealed before stand

    \b
    Tab completion, here for bash (zsh_source and fish_source are for other shells):
      eval "$(_PCI_LOG_REVIEW_COMPLETE=bash_source pci-log-review)"
    """
    # What a review writes holds names, addresses and settings: it is nobody else's to read, or to change
    os.umask(0o077)
    # A character that the terminal can't show must not end the command
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # Libraries log the errors that they raise, with tracebacks; the reporter shows each in one line
    logging.disable()


@main.command()
@_option("--logs", _LOGS, required=True)
@_option("--run-date", "Review this day alone, reviewed before or not.  [default: every day that is due]", type=_Day())
@_option(
    "--since", "The first day that has to be reviewed. The evidence remembers it; an earlier one that it has stands.  "
    "[default: the remembered one, else yesterday]", type=_Day(),
)  # fmt: skip
@_option("--from", "Review every day from this one on, reviewed before or not.", type=_Day())
@_option("--to", "With --from: the last day.  [default: yesterday]", type=_Day())
@_option(
    "--max-days", "Review at most so many of the days that are due.", default=31, show_default=True,
    type=click.IntRange(min=1),
)  # fmt: skip
@_project_option
@_option("--target", "Where it runs: local (embedded) or athena.", default="local", show_default=True, metavar="TARGET")
@_written_evidence_options
@_option("--settings", "Folder of your settings.  [default: the sample's]", type=_FOLDER)
@_option("--state", "Folder of the embedded target's tables.  [default: state, in a checkout]", type=_FOLDER)
@_option(
    "--public-keys", "CloudTrail's public keys, as `aws cloudtrail list-public-keys` prints them.  [default: ask AWS]",
    type=_FILE,
)  # fmt: skip
@_option(
    "--logs-copied-from", "Where CloudTrail delivered the logs, if they lie elsewhere: digests name it.",
    metavar="S3://BUCKET/PREFIX",
)  # fmt: skip
@_option("--notify-topic", "Tell this SNS topic how the run ended.", metavar="ARN")
@_option("--notify-webhook", "Tell this address how the run ended (JSON).", metavar="URL")
@_option("--notify-details", "Let messages hold unexpected findings, not only their number.", is_flag=True)
@_option(
    "--log-format", "Messages for people, or one JSON object a line.", default="text", show_default=True,
    type=click.Choice(["text", "json"]),
)  # fmt: skip
@_option(
    "--log-level", "With json: `debug` also tells of each seed, model and test that ends.", default="info",
    show_default=True, type=click.Choice(["info", "debug"]),
)  # fmt: skip
@click.pass_context
def run(ctx: click.Context, /, log_format: str, log_level: str, **given: Any) -> None:
    """Review every day that is due, or the days that are named, and seal the evidence.

    Due is each day up to yesterday (UTC) without a complete review, oldest first; an incomplete day that was signed
    off is done with.

    \b
    Exit code  Meaning
            0  every day is reviewed and complete, or none was due
            1  a day failed, nobody could be told, or the evidence is not as it was sealed
            2  wrong usage or settings, no logs at the place named, no credentials: nothing was run or sealed
            3  a review ran, but its day is incomplete (logs missing, a file unreadable, a row expectation broken)
          130  interrupted (Ctrl-C); the days that were sealed before stand
          143  told to end (SIGTERM); the same

    The last lines say what is wrong.
    """
    signal.signal(signal.SIGTERM, _stop)
    reporter: Reporter = JsonReporter(debug=log_level == "debug") if log_format == "json" else TextReporter()
    topic, webhook = given["notify_topic"], given["notify_webhook"]
    try:
        check_places(topic, webhook)
    except UsageError as error:  # there is nobody to tell
        reporter.failed(str(error))
        ctx.exit(Exit.USAGE)
    opened: Run | None = None
    done: list[Reviewed] = []
    code, broken_off = Exit.FAILED, None
    try:
        chosen = _chosen_days(given["run_date"], given["since"], given["from"], given["to"])
        opened = open_run(_options(given))
        check_run(opened, given["run_date"] or given["from"], given["since"])
        due = chosen or partial(due_days, opened.evidence, given["since"], clock.yesterday(), given["max_days"])
        outcome = run_days(opened, due, reporter, done)
        code = outcome.exit
        reporter.ended(outcome)
    except UsageError as error:
        outcome, code = Outcome(done, 0, str(error).splitlines()), Exit.USAGE
    except (EvidenceError, Locked, OSError) as error:
        outcome = Outcome(done, 0, str(error).splitlines())
    except KeyboardInterrupt:
        outcome, code = Outcome(done, 0, [f"the run was broken off: {_INTERRUPTED}"]), Exit.INTERRUPTED
    except BaseException as error:
        what = "it was told to end" if isinstance(error, SystemExit) else f"{type(error).__name__}, see its output"
        outcome, broken_off = Outcome(done, 0, [f"the run was broken off: {what}"]), error
    if outcome.reasons:
        reporter.failed("\n".join(outcome.reasons))
    message = _message(outcome, opened.evidence if opened and given["notify_details"] else None)
    untold = notify(message, opened.session if opened else None, topic, webhook)
    if untold:
        reporter.failed("\n".join(untold))
    if broken_off:
        raise broken_off
    ctx.exit(code or (Exit.FAILED if untold else Exit.COMPLETE))


def _options(given: dict[str, Any]) -> RunOptions:
    names = ("logs", "target", "settings", "state", "public_keys", "logs_copied_from")
    return RunOptions(evidence=_evidence_place(given), **{name: given[name] for name in names})


def _message(outcome: Outcome, store: EvidenceStore | None) -> Message:
    """What is told of the run, with findings from the evidence in `store` where it is given."""
    details = {day.conclusion.run_date: _details(store, day) for day in outcome.days} if store else {}
    return Message(outcome.summary, outcome.days, outcome.left, outcome.reasons, details)


def _details(store: EvidenceStore, day: Reviewed) -> list[str]:
    run_date = day.conclusion.run_date
    try:
        [known] = history(store, run_date, run_date)
        return for_messages(group(read_day(store, known)[1], seen_before(store, known)))
    except (EvidenceError, UsageError) as error:
        return [str(error)]


def _chosen_days(
    run_date: date | None, since: date | None, first: date | None, last: date | None
) -> Callable[[], Due] | None:
    """The days that were named, or None for those that are due. Raises UsageError."""
    if run_date and first:
        raise UsageError("give one of --run-date and --from")
    if last and not first:
        raise UsageError("--to goes with --from")
    for day in (run_date, since, first, last):
        if day and day >= clock.today():
            raise UsageError(f"{day} is not over yet (UTC): only a whole day can be reviewed")
    if run_date:
        return lambda: all_days(run_date, run_date, since)
    if not first:
        return None
    end = _end(first, last)
    return lambda: all_days(first, end, since)


def _end(first: date | None, last: date | None) -> date:
    """The last day of a range that ends yesterday where nothing else is said. Raises UsageError."""
    end = last or clock.yesterday()
    if first and end < first:
        raise UsageError(f"--from {first} is after --to {end}")
    return end


def _stop(*_: object) -> None:
    """Ends the run as an exception does: dbt is stopped, the lock is given back."""
    sys.exit(128 + signal.SIGTERM)


@main.command()
@_option("--logs", _LOGS, required=True)
@_option("--settings", "Folder to write; it may not hold settings yet.", required=True, type=_FOLDER)
@_project_option
def init(logs: str, settings: Path) -> None:
    """Write a settings folder to start from, with the accounts and regions found in the logs."""
    try:
        written = write_settings(logs, settings)
    except (UsageError, LogStoreError, OSError) as error:
        raise UsageError(str(error)) from error
    click.echo(
        f"{settings}: {written.accounts} accounts, {written.regions} accounts x regions with logs. {written.daily} of "
        f"these had logs on most of the last days seen ({len(written.days)}) and are expected daily;"
    )
    click.echo("the others, and every other region, are in scope too, and may be quiet. Check trail_scope.csv.")
    if written.days:
        click.echo(f"The newest day with logs is {written.days[-1]}.")
    if len(written.days) < 3:
        click.echo("So few days say little: run init again, into another folder, when there are more.")
    for name in written.odd:
        click.echo(
            printable(f"Left out: AWSLogs/{name} is not an account id of 12 digits, or has no folder of a region.")
        )
    click.echo("README.md there says what each file and column holds.")
    click.echo("Now name what is yours: cardholder_data_stores.csv, audit_log_stores.csv,")
    click.echo(
        "administrators.csv, expected_activity.csv. What needs one of the first three is not configured, and no day"
    )
    click.echo("complete, until that has a line, or nothing_to_list.csv says why there is nothing to list.")
    click.echo("Check digest_trails.csv: only digests of these trails prove anything; where they are missing is a gap.")
    click.echo("Then see in the first review's notes which listed stores nothing touched: are they spelled right?")


@main.command()
@click.argument("folder", type=_FOLDER, metavar="DIR")
def project(folder: Path) -> None:
    """Write the dbt project out into a new folder, to change models, or to use dbt alone.

    It has the sample logs, too. `pci-log-review run --project DIR` then uses it in place of the shipped one.
    """
    written = write_project(folder)
    click.echo(f"{folder}: {written} files. Keep it under version control: each review names its commit.")
    click.echo(f"pci-log-review run --project {folder} uses it; its state then lies in {folder / 'state'}.")
    click.echo("For dbt alone: cp profiles.example.yml profiles.yml there.")


@main.command("verify")
@_evidence_option
@click.option("--from", "first", help="First day.  [default: the first in the evidence]", type=_Day())
@click.option("--to", "last", help="Last day.  [default: yesterday]", type=_Day())
@click.option(
    "--expect",
    "expected",
    help="Hash of a manifest or sign-off, kept elsewhere (the messages have them): it has to be in the chain. "
    "Repeat it.",
    type=_Sha256(),
    multiple=True,
)
@click.pass_context
def verify_command(
    ctx: click.Context, /, first: date | None, last: date | None, expected: tuple[str, ...], evidence: str
) -> None:
    """Verify the evidence: every hash, every link of the chain, and that no day is missing.

    \b
    Exit code  Meaning
            0  all is as it was sealed
            1  something was changed, removed or added, as the last lines say; or the evidence can't be read
            2  wrong usage
    """
    _end(first, last)
    verified = verify(EvidencePlace(evidence).open(), first, last, clock.yesterday(), expected)
    print_verified(verified)
    ctx.exit(Exit.FAILED if verified.faults else Exit.COMPLETE)


@main.command()
@_evidence_option
@click.option("--from", "first", help="First day.  [default: the first in the evidence]", type=_Day())
@click.option("--to", "last", help="Last day.  [default: yesterday]", type=_Day())
def status(first: date | None, last: date | None, evidence: str) -> None:
    """Show each day: complete, incomplete, failed or missing, and who signed it."""
    print_status(history(EvidencePlace(evidence).open(), first, _end(first, last)))


@main.command()
@click.argument("day", type=_Day())
@_evidence_option
@click.option("--event", "event_id", help="Show each finding of this event, field by field.", metavar="ID")
def show(day: date, event_id: str | None, evidence: str) -> None:
    """Show a day's review and its findings, folded: the gravest first, unexpected before expected."""
    store = EvidencePlace(evidence).open()
    [known] = history(store, day, day)
    review, findings = read_day(store, known)
    if event_id:
        print_event(findings, event_id.strip(), click.echo)
    else:
        print_day(known, store.where, review, group(findings, seen_before(store, known)))


@main.command()
@click.argument("day", type=_Day())
@_evidence_option
@click.option("--output", help="The file to write.  [default: report-DAY.html]", type=_FILE)
def report(day: date, output: Path | None, evidence: str) -> None:
    """Write a day's page from its sealed evidence alone: for a day that was sealed without one, or was signed."""
    store = EvidencePlace(evidence).open()
    [known] = history(store, day, day)
    path = output or Path(f"report-{day}.html")
    path.write_bytes(report_of(store, known, records(store.keys())))
    click.echo(f"Page: {path}")


@main.command("sign-off")
@click.argument("day", type=_Day())
@_written_evidence_options
@click.option("--manifest", help="The hash of the manifest that `show` printed: what you have seen.", required=True)
@_option("--reviewer", "Your name.", required=True)
@click.option(
    "--decision",
    "decisions",
    help="What the unexpected findings of a requirement are: REQUIREMENT=expected|incident|follow-up: NOTE. "
    "`all` stands for every requirement that no other decision names. Repeat it.",
    multiple=True,
)
@click.option("--reason", help="Why a day is signed that is incomplete.")
def sign_off_command(
    day: date, manifest: str, reviewer: str, decisions: tuple[str, ...], reason: str | None, **evidence: Any
) -> None:
    """Sign a day off: decide on each requirement with unexpected findings.

    The sign-off is bound to the review that you have seen, by its manifest: when the day is reviewed again, it is
    stale, and where that happened since, nothing is signed. It is never changed; a correction is a further sign-off.
    """
    store = _evidence_place(evidence).open()
    decided = [parse_decision(text) for text in decisions]
    if not store.keys():
        raise UsageError(f"{store.where}: there is no evidence")
    with store.lock():
        mend_latest(store)
        [known] = history(store, day, day)
        signed = sign_off(store, known, manifest.strip().lower(), reviewer, decided, reason)
        write_index(store, clock.yesterday())
    click.echo(f"Signed: {store.where.rstrip('/')}/{signed.path} (record {signed.sha256})")


@main.command()
@_project_option
@click.option("--base", help="The commit, branch or tag to compare with.", required=True, metavar="REF")
@_option("--logs", f"{_LOGS}  [default: the sample's]")
@click.option("--from", "first", help="First day of the logs.  [default: the sample's first]", type=_Day())
@click.option("--to", "last", help="Last day.  [default: the same day; the sample's last]", type=_Day())
@_option("--settings", "Folder of your settings.  [default: each project's own]", type=_FOLDER)
@_option("--public-keys", "CloudTrail's public keys, as for run.", type=_FILE)
@_option("--logs-copied-from", "Where CloudTrail delivered the logs, as for run.", metavar="S3://BUCKET/PREFIX")
@click.option("--all-tests", help="Also run dbt's unit tests and those of the catalogue.", is_flag=True)
@click.option("--output", help="Also write diff.md, diff.json and rows.csv (every row) there.", type=_FOLDER)
@click.pass_context
def diff(ctx: click.Context, /, base: str, all_tests: bool, output: Path | None, **given: Any) -> None:
    """Show which evidence the working tree finds otherwise than a commit does, over the same logs.

    Both projects are built whole, each with a state of its own. What vanished comes first, then what became expected,
    what changed, and what appeared. Rows that vanish or become expected need a line in seeds/approved_changes.csv that
    the commit does not have; what the article's queries return can't be approved away.

    \b
    Exit code  Meaning
            0  nothing changed
            1  one of the two can't be built
            2  wrong usage
            4  something changed
            5  something vanished or became expected without approval
    """
    signal.signal(signal.SIGTERM, _stop)
    folder = project_dir()
    with compared(folder, base, _logs_to_compare(folder, given), all_tests=all_tests) as (difference, changes):
        if output:
            write_difference(difference, changes, output)
        print_difference(difference)
    ctx.exit(difference.exit)


def _logs_to_compare(project: Path, given: dict[str, Any]) -> Logs:
    """The logs that the options name, or the sample's. Raises UsageError."""
    first, last = given["first"], given["last"]
    if last and not first:
        raise UsageError("--to goes with --from")
    if first and last and last < first:
        raise UsageError(f"--from {first} is after --to {last}")
    if not given["logs"]:
        days = {"first": first, "last": last or first} if first else {}
        return replace(sample_logs(project), **days)
    if not first:
        raise UsageError("--from: say of which day the logs are to be compared, and with --to until which")
    where = named_place("logs", given["logs"])
    settings, keys = (named_path(name, given[name]) if given[name] else None for name in ("settings", "public_keys"))
    return Logs(where, first, last or first, settings, keys, given["logs_copied_from"])
