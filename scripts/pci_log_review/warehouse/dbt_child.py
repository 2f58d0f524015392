"""dbt as the wrapper runs it: one process that parses the project once and then builds one day after another.

It is called with the arguments for parsing the project, `parse …`, in an isolated Python (warehouse/dbt.py).

Standard input takes one line of JSON per build, {"id": …, "arguments": ["build", …], "results": <path>}. Standard
output has dbt's own messages and, when a build has ended, {"ended": <its id>, "code": <dbt's exit code: 0, 1 or 2>,
"reason": …}. Parsing writes manifest.json, and a build run_results.json to the path that it was given: dbt itself would
write the whole manifest again after each build, which takes longer than any model of a small day.

The process ends when standard input closes, which the kernel does even if the wrapper was killed: a dbt that outlived
its wrapper would go on writing tables while the next run begins.
"""

from __future__ import annotations

import copy
import functools
import gc
import json
import os
import sys
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.contracts.graph.manifest import Manifest


def _listen(commands: SimpleQueue[bytes]) -> None:
    """Queues each line of standard input; when there are no more, ends the process, whatever it is doing."""
    rest = b""
    while more := os.read(0, 1 << 16):
        *lines, rest = (rest + more).split(b"\n")
        for line in lines:
            commands.put(line)
    os._exit(0)


def _read_service_models_once() -> None:
    """dbt-athena makes a client for nearly every call, and each one would parse its service's model again."""
    import botocore.session

    create_loader = functools.cache(botocore.session.create_loader)
    setattr(botocore.session, "create_loader", create_loader)  # noqa: B010  # the stubs do not have it


def _drop_debug_events() -> None:
    """dbt fires about twenty debug events per node, a sixth of a build's time, and none of them is to be logged."""
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    fire_event = EventManager.fire_event

    def fire(self: EventManager, e: BaseEvent, level: EventLevel | None = None, *others: Any, **named: Any) -> None:
        if (level or e.level_tag()) != EventLevel.DEBUG:
            fire_event(self, e, level, *others, **named)

    setattr(EventManager, "fire_event", fire)  # noqa: B010  # mypy takes it for a mistake


def _invoke(arguments: list[str], manifest: Manifest | None) -> tuple[int, str, Any]:
    """dbt's exit code, why it stopped if it could not start, and the command's result.

    Without a manifest dbt parses the project itself.
    """
    from dbt.cli.main import dbtRunner

    done = dbtRunner(manifest=manifest).invoke(arguments)
    _close_database()
    if done.exception:
        return 2, str(done.exception), None
    return (0 if done.success else 1), "", done.result


def _read_seeds_from(project: str, manifest: Manifest) -> None:
    """dbt-duckdb reads a seed from where it lay when it was parsed, which may have been in an earlier run's project."""
    from dbt.contracts.graph.nodes import SeedNode

    for node in manifest.nodes.values():
        if isinstance(node, SeedNode):
            node.root_path = project


def _check_contracts_once(nodes: dict[str, Any], built: RunExecutionResult) -> None:
    """The next builds do without the contracts of what this one added rows to.

    To check one takes two queries. What it checks are the columns of a model's SQL, and another day has the same.
    """
    for result in built.results:
        node = nodes.get(result.node.unique_id)
        if node and result.status == "success" and node.config.materialized == "incremental":
            node.contract.enforced = node.config.contract.enforced = False


def _close_database() -> None:
    """Lets the wrapper open the DuckDB file, which dbt-duckdb would keep open as long as its process lives."""
    duckdb: Any = sys.modules.get("dbt.adapters.duckdb.connections")
    if duckdb and duckdb.DuckDBConnectionManager._ENV:
        duckdb.DuckDBConnectionManager.env().close()
        duckdb.DuckDBConnectionManager.close_all_connections()


def main() -> None:
    """Parses the project, then builds until standard input closes."""
    commands: SimpleQueue[bytes] = SimpleQueue()
    # Started before the slow imports
    threading.Thread(target=_listen, args=(commands,), daemon=True).start()
    _read_service_models_once()
    _drop_debug_events()
    # If the project can't be parsed, the first build says why
    _, _, manifest = _invoke(sys.argv[1:], None)
    from dbt.artifacts.schemas.run import RunExecutionResult

    if manifest:
        _read_seeds_from(sys.argv[sys.argv.index("--project-dir") + 1], manifest)
    nodes = copy.deepcopy(manifest.nodes) if manifest else {}
    gc.freeze()  # what was parsed stays as long as the process; each collection would look through it again
    while True:
        command = json.loads(commands.get())
        if manifest:
            # A build compiles into the nodes. A whole manifest can't be copied: Manifest.deepcopy fails if
            # something is disabled, and copy.deepcopy mixes up its fields.
            manifest.nodes = copy.deepcopy(nodes)
        code, reason, result = _invoke([*command["arguments"], "--no-write-json"], manifest)
        if isinstance(result, RunExecutionResult):
            result.write(command["results"])
            _check_contracts_once(nodes, result)
        print(json.dumps({"ended": command["id"], "code": code, "reason": reason}), flush=True)
