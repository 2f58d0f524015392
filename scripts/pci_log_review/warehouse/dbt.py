"""Runs dbt as a process of its own, and reads what it did from its artifacts."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from .profile import Profile

# The environment variable by which the wrapper tells the pre-hook which conversions are its own (lake.is_converted)
CONVERTED = "PCI_LOG_REVIEW_CONVERTED"
_MAX_VARS = 100_000  # bytes: a process takes 128 kB as one argument


class DbtFailed(Exception):
    """dbt could not even begin, or it ended without results; the text says why."""


@dataclass(frozen=True)
class Node:
    """A model, seed or test as dbt ended it; times in seconds, failures in rows."""

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


@dataclass(frozen=True)
class Progress:
    """A node that has just ended: the `number`th of `total`."""

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
        """Nodes that could not be run: the review did not happen as it should."""
        return [node for node in self.nodes if node.status in ("error", "runtime error")]

    def broken_expectations(self) -> list[Node]:
        """Tests that found rows which must not be."""
        return [node for node in self.nodes if node.kind == "test" and node.status == "fail"]

    def warnings(self) -> list[Node]:
        """Tests that found something worth knowing, which makes no day incomplete."""
        return [node for node in self.nodes if node.status == "warn"]


@dataclass(frozen=True)
class Dbt:
    """dbt for the days of a run: which project and target, and the variables of its environment."""

    project: Path
    profile: Profile
    state: Path
    environment: Mapping[str, str]

    def build(
        self, run_date: date, unreadable: list[str], locks: tuple[int, ...], on_progress: Callable[[Progress], None]
    ) -> DbtResult:
        """Runs `dbt build` for the run date, without dbt's unit tests.

        `unreadable` are the log files that Athena has to leave out; `locks` are the descriptors that keep the
        evidence and the state locked as long as dbt lives. Raises DbtFailed.
        """
        variables = _yaml({"run_date": run_date.isoformat(), "unreadable_log_files": unreadable})
        if len(variables) > _MAX_VARS:
            raise DbtFailed(
                f"{len(unreadable)} log files can't be read, too many to leave out; the first is {unreadable[0]}"
            )
        target_path = self.state / "target"
        (target_path / "run_results.json").unlink(missing_ok=True)
        command = [
            *(sys.executable, "-m", "pci_log_review.warehouse.dbt_child", "build"),
            *("--project-dir", str(self.project), "--profiles-dir", str(self.profile.directory)),
            *("--target", self.profile.target),
            *("--target-path", str(target_path), "--log-path", str(self.state / "logs")),
            *("--vars", variables),
            *("--exclude-resource-type", "unit_test"),
            *("--log-format", "json", "--log-level", "info", "--log-format-file", "text", "--log-level-file", "debug"),
        ]
        last_words = ""
        with subprocess.Popen(  # noqa: S603  # every word is ours or checked
            command,
            env=self.environment,
            stdin=subprocess.PIPE,  # dbt_child ends when this closes
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            pass_fds=locks,
        ) as dbt:
            for line in dbt.stdout or ():
                last_words = _told(line, on_progress) or last_words
        if dbt.returncode not in (0, 1) or not (target_path / "run_results.json").is_file():
            raise DbtFailed(f"dbt: {plain_message(last_words) or f'ended early, with exit code {dbt.returncode}'}")
        return _read_artifacts(target_path)


def _yaml(values: dict[str, Any]) -> str:
    """As dbt reads it, which is not quite JSON: there a character beyond U+FFFF is two."""
    return yaml.safe_dump(values, default_flow_style=True, width=math.inf).strip()


def _told(line: str, on_progress: Callable[[Progress], None]) -> str:
    """Passes progress on; returns what else the line says if it may be dbt's reason to stop."""
    try:
        event = json.loads(line)
        info, data = event["info"], event["data"]
    except (ValueError, KeyError, TypeError):
        return line
    if info["name"] in ("LogModelResult", "LogSeedResult", "LogTestResult"):
        kind = info["name"].removeprefix("Log").removesuffix("Result").lower()
        total = data.get("total") or data.get("num_models")
        node = data["node_info"]["node_name"]
        on_progress(Progress(data["index"], total, kind, node, str(data["status"]).lower(), data["execution_time"]))
    return str(info["msg"]) if info["level"] == "error" and info["name"] != "MainStackTrace" else ""


def _read_artifacts(target_path: Path) -> DbtResult:
    results = json.loads((target_path / "run_results.json").read_text())
    nodes = json.loads((target_path / "manifest.json").read_text())["nodes"]
    return DbtResult(
        results["metadata"]["invocation_id"],
        results["elapsed_time"],
        [_node(result, nodes[result["unique_id"]]) for result in results["results"]],
        frozenset(node["name"] for node in nodes.values() if node["resource_type"] == "model"),
    )


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
    """dbt's error in one line: without colours, dbt's word for it, and where in the code it was raised."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", message)
    text = re.sub(r"^.*?Python exception occurred while executing the UDF: \w+: ", "", text, flags=re.DOTALL)
    text = re.sub(r"\n\s*At:\n.*$", "", text, flags=re.DOTALL)
    text = re.sub(r"\.? If a data manifest file was generated at .* in your account\.", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines if not _NO_REASON.match(line)]
    return " ".join(kept)[:1_000]
