"""Runs dbt in a separate process, and reads what it did from its artifacts."""

from __future__ import annotations

import json
import math
import re
import secrets
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import IO, Any, Self

import yaml

from .profile import Profile

# The environment variable that tells the pre-hook which conversions this run made (lake.is_converted)
CONVERTED = "PCI_LOG_REVIEW_CONVERTED"
# What the child runs, and the folder from which it imports this package
_CHILD = "import sys; sys.path[:0] = [sys.argv.pop(1)]; from pci_log_review.warehouse import dbt_child as me; me.main()"
_PACKAGES = Path(__file__).resolve().parents[2]
_ONCE = ("settings", "same_each_day")  # tags of tests and of views that the first build of a run is enough for
_DBT_ERROR = 2  # dbt's exit code if it could not start
_MAX_VARS = 100_000  # bytes; a query has to name all the files, and may have 262,144


class DbtFailed(Exception):
    """dbt could not start, or ended without results; the text says why."""


@dataclass(frozen=True)
class Node:
    """How a model, seed or test ended; times in seconds, failures in rows."""

    unique_id: str
    name: str
    kind: str
    status: str
    seconds: float
    failures: int
    message: str
    tests: frozenset[str]
    compiled_sql: str
    description: str
    tags: frozenset[str]


@dataclass(frozen=True)
class Progress:
    """A node that has just ended: `number` of `total`."""

    number: int
    total: int
    kind: str
    name: str
    status: str
    seconds: float


@dataclass(frozen=True)
class DbtResult:
    """What one `dbt build` did."""

    invocation_id: str
    seconds: float
    nodes: list[Node]
    models: frozenset[str]

    def not_built(self) -> list[str]:
        """Models of the project that this build did not build."""
        return sorted(
            self.models - {node.name for node in self.nodes if node.kind == "model" and node.status == "success"}
        )

    def failed(self) -> list[Node]:
        """Nodes that could not be run, so the review did not run as it should."""
        return [node for node in self.nodes if node.status in ("error", "runtime error")]

    def broken_expectations(self) -> list[Node]:
        """Tests that found rows that must not exist."""
        return [node for node in self.nodes if node.kind == "test" and node.status == "fail"]

    def warnings(self) -> list[Node]:
        """Tests that found something worth knowing that does not make the day incomplete."""
        return [node for node in self.nodes if node.status == "warn"]


@dataclass(frozen=True)
class DbtProject:
    """How a run calls dbt: the project, the target and the environment variables."""

    project: Path
    profile: Profile
    state: Path
    environment: Mapping[str, str]

    def command(self, name: str, *arguments: str) -> list[str]:
        """The arguments of a dbt command on this project."""
        return [
            *(
                *name.split(),
                "--project-dir",
                str(self.project),
                "--profiles-dir",
                str(self.profile.directory or self.project),
            ),
            *("--target", self.profile.target),
            *("--target-path", str(self.target_path), "--log-path", str(self.state / "logs")),
            *("--log-format", "json", "--log-level", "info", "--log-format-file", "text", "--log-level-file", "info"),
            *arguments,
        ]

    @property
    def target_path(self) -> Path:
        """Where dbt writes its artifacts."""
        return self.state / "target"

    @property
    def results_path(self) -> Path:
        """Where a build writes how each node ended."""
        return self.target_path / "run_results.json"


@dataclass(frozen=True)
class Described:
    """dbt's manifest, as it was parsed, and its catalog: the relations with their columns and types, as they are."""

    manifest: dict[str, Any]
    catalog: dict[str, Any]


class Dbt:
    """dbt in a separate process, which parses the project once for all days and lives as long as this context.

    The project is parsed without a day's variables, so the next run can use what dbt keeps of it in the state: by its
    own rules, dbt parses again only what has changed since in files, environment variables and versions. `locks` are
    the file descriptors that keep the evidence and the state locked as long as the process lives.
    """

    def __init__(self, project: DbtProject, locks: tuple[int, ...]) -> None:
        self._project = project
        self._locks = locks
        self._process: subprocess.Popen[str] | None = None
        # What is the same on each day, as this run's first build ended it: seeds, the tests that ask them alone, and
        # views that do not name the day. Nobody else writes them while the run holds the locks.
        self._once: tuple[Node, ...] = ()
        self._manifest: dict[str, Any] = {}
        self._catalog: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._process = self._started()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def build(self, run_date: date, unreadable: list[str], on_progress: Callable[[Progress], None]) -> DbtResult:
        """Runs `dbt build` for the run date, without dbt's unit tests.

        `unreadable` are the log files that Athena has to leave out. Raises DbtFailed; the next build then starts a new
        process, so one day's failure can't affect another day.
        """
        variables = _yaml({"run_date": run_date.isoformat(), "unreadable_log_files": unreadable})
        if len(variables) > _MAX_VARS:
            raise DbtFailed(
                f"{len(unreadable)} log files can't be read, too many to leave out; the first is {unreadable[0]}"
            )
        results = self._project.results_path
        results.unlink(missing_ok=True)
        # tests of the shipped catalogue, or of rules on invented events, run where those are changed
        kinds, tags = ["unit_test", "exposure"], ["catalogue"]
        if self._once:
            kinds, tags = [*kinds, "seed"], [*tags, *_ONCE]
        left_out = ["--exclude-resource-type", *kinds, "--exclude", *(f"tag:{tag}" for tag in tags)]
        left_out += ["--indirect-selection", "empty"]  # a view that is left out does not take its tests with it
        command = self._project.command("build", "--vars", variables, *left_out)
        code, reason = self._run(command, on_progress)
        if code not in (0, 1) or not results.is_file():
            self._end()
            raise DbtFailed(_stopped(code, plain_message(reason)))
        built = self._read_artifacts()
        built = replace(built, nodes=[*self._once, *built.nodes])
        same = [node for node in built.nodes if node.kind == "seed" or not node.tags.isdisjoint(_ONCE)]
        are_right = same and all(node.status in ("success", "pass") for node in same)
        self._once = tuple(same) if are_right else ()
        return built

    def _read_artifacts(self) -> DbtResult:
        """What the build that has just ended did; parsing, once for each process, wrote what the nodes are."""
        if not self._manifest:
            self._manifest = _artifact(self._project.target_path / "manifest.json")
        nodes = self._manifest["nodes"]
        results = json.loads(self._project.results_path.read_text(encoding="utf-8"))
        return DbtResult(
            results["metadata"]["invocation_id"],
            results["elapsed_time"],
            [_node(result, nodes[result["unique_id"]]) for result in results["results"]],
            frozenset(node["name"] for node in nodes.values() if node["resource_type"] == "model"),
        )

    def describe(self) -> Described:
        """What was parsed and built. A process is asked once: a later day changes rows, and no column.

        Raises DbtFailed; a build comes first.
        """
        if not self._catalog:
            path = self._project.target_path / "catalog.json"
            path.unlink(missing_ok=True)
            code, reason = self._run(self._project.command("docs generate", "--no-compile"), lambda _: None)
            if code != 0 or not path.is_file():
                raise DbtFailed(_stopped(code, plain_message(reason)))
            self._catalog = _artifact(path)
        return Described(self._manifest, self._catalog)

    def _run(self, command: list[str], on_progress: Callable[[Progress], None]) -> tuple[int, str]:
        """The exit code of a command, and dbt's last message about what went wrong."""
        self._process = self._process or self._started()
        this = secrets.token_hex(8)
        last_words = ""
        with suppress(BrokenPipeError):  # it has died; its last output says why
            line = json.dumps({"id": this, "arguments": command, "results": str(self._project.results_path)})
            _stream(self._process.stdin).write(line + "\n")
            _stream(self._process.stdin).flush()
        for line in _stream(self._process.stdout):
            if (ended := _ended(line, this)) is not None:
                return ended[0], last_words or ended[1]
            last_words = _told(line, on_progress) or last_words
        return self._process.wait(), last_words

    def _started(self) -> subprocess.Popen[str]:
        # Isolated, and with the wrapper's own code: `-m` would import what lies in the working folder, which may be a
        # bucket's copy, and PYTHONPATH may name it as well. In UTF-8, whatever the locale: dbt opens its files with it
        return subprocess.Popen(  # noqa: S603  # every argument is ours or checked
            [sys.executable, "-I", "-X", "utf8", "-c", _CHILD, str(_PACKAGES), *self._project.command("parse")],
            env=self._project.environment,
            cwd=self._project.project,
            stdin=subprocess.PIPE,  # dbt_child ends when this closes
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="backslashreplace",
            pass_fds=self._locks,
        )

    def _end(self) -> None:
        process, self._process = self._process, None
        self._manifest, self._catalog = {}, {}
        if process:
            with suppress(BrokenPipeError):
                _stream(process.stdin).close()
            _stream(process.stdout).close()
            process.wait()


def _artifact(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _stopped(code: int, reason: str) -> str:
    """Why there are no results: dbt's own message, if it gave one and nothing else stopped it."""
    if code == _DBT_ERROR and reason:
        return f"dbt: {reason}"
    return f"dbt: ended early, with exit code {code}{f': {reason}' if reason else ''}"


def _stream(stream: IO[str] | None) -> IO[str]:
    if stream is None:
        raise ValueError("the process was started without pipes")
    return stream


def _ended(line: str, this: str) -> tuple[int, str] | None:
    """Exit code and reason if the line says that this command has ended."""
    try:
        said = json.loads(line)
        return (int(said["code"]), str(said["reason"])) if said["ended"] == this else None
    except (ValueError, KeyError, TypeError):
        return None


def _yaml(values: dict[str, Any]) -> str:
    """YAML, as dbt reads it; in JSON, a character beyond U+FFFF would be two."""
    return yaml.safe_dump(values, default_flow_style=True, width=math.inf).strip()


def _told(line: str, on_progress: Callable[[Progress], None]) -> str:
    """Reports progress; returns any other message that may be why dbt stopped."""
    try:
        event = json.loads(line)
        info, data = event["info"], event["data"]
    except (ValueError, KeyError, TypeError):
        return line
    if info["name"] in ("LogModelResult", "LogSeedResult", "LogTestResult"):
        kind = info["name"].removeprefix("Log").removesuffix("Result").lower()
        total = data.get("total") or data.get("num_models")
        node = data["node_info"]["node_name"]
        status = str(data["status"]).lower().removesuffix(" -1")  # rows that the engine did not count
        on_progress(Progress(data["index"], total, kind, node, status, data["execution_time"]))
    return str(info["msg"]) if info["level"] == "error" and info["name"] != "MainStackTrace" else ""


def _node(result: dict[str, Any], node: dict[str, Any]) -> Node:
    return Node(
        unique_id=result["unique_id"],
        name=node["name"],
        kind=node["resource_type"],
        status=str(result["status"]),
        seconds=result["execution_time"],
        failures=result.get("failures") or 0,
        message=plain_message(result.get("message") or ""),
        tests=_tested(node),
        compiled_sql=result.get("compiled_code") or "",
        description=node["description"],
        tags=frozenset(node["tags"]),
    )


def _tested(node: dict[str, Any]) -> frozenset[str]:
    """The model that a test is attached to or, for a singular test, the requirement models that it reads."""
    if node["resource_type"] != "test":
        return frozenset()
    read = [node["attached_node"]] if node.get("attached_node") else node["depends_on"]["nodes"]
    return frozenset(unique_id.rpartition(".")[2] for unique_id in read if unique_id.startswith("model."))


_NO_REASON = re.compile(
    r"compiled code at|> in|> called by|Encountered an error:$|\w+ Error$|\w+ Error in \w+ \S+ \(\S+\)$"
)


def plain_message(message: str) -> str:
    """dbt's error in one line, without colours, the type of error and where in the code it was raised."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", message)
    text = re.sub(r"^.*?Python exception occurred while executing the UDF: \w+: ", "", text, flags=re.DOTALL)
    text = re.sub(r"\n\s*At:\n.*$", "", text, flags=re.DOTALL)
    text = re.sub(r"\.? If a data manifest file was generated at .* in your account\.", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not _NO_REASON.match(line)]
    plain = " ".join(kept)
    return f"{plain[:1_000]}{_permission_for(plain)}"


# Where S3 gives Athena nothing, Athena names the place, and not the permission.
_NOT_GIVEN = {
    "s3:GetObject": re.compile(r"HIVE_CANNOT_OPEN_SPLIT\b.*?(s3://[^\s()]+)"),
    "s3:ListBucket": re.compile(r"HIVE_FILESYSTEM_ERROR\b.*?(s3://[^\s()/]+)"),
    "s3:ListBucket or s3:GetBucketLocation": re.compile(r"Unable to verify/create output bucket ([^\s()/]+)"),
}


def _permission_for(message: str) -> str:
    found = ((action, pattern.search(message)) for action, pattern in _NOT_GIVEN.items())
    needed = next((f"{action} on s3://{place[1].removeprefix('s3://')}" for action, place in found if place), None)
    return f" (if S3 refused it: {needed}, or kms:Decrypt on its key, is not permitted)" if needed else ""
