"""Runs a command to its end, and measures what all of its processes take."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tools.benchmark.generate import PROJECT

_PROC = Path("/proc")
_PAUSE = 0.2  # seconds between two looks at the memory


class BenchmarkError(Exception):
    """A run failed, or did not find what was planted: its times mean nothing."""


@dataclass
class _Memory:
    """The most that was seen, in kB: of all processes together, and of the largest."""

    together: int = 0
    largest: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def watch(self, root: int) -> None:
        """Looks until it has ended. Pages that processes share count once together (PSS)."""
        is_over = False
        while not is_over:
            seen = [_kilobytes(pid) for pid in _tree(root)]
            self.together = max(self.together, sum(share for share, _ in seen))
            self.largest = max([self.largest, *(peak for _, peak in seen)])
            is_over = self.ended.wait(_PAUSE)


@dataclass(frozen=True)
class Ended:
    """What a command took and wrote: each line with the time at which it came; memory in MB, 0 where there is no /proc.

    CPU seconds are those of all its processes: where others use the machine they are steadier than the clock's.

    `begun` and `ended` are times of the clock, as the lines have them.
    """

    begun: float
    ended: float
    cpu_seconds: float
    lines: list[tuple[float, str]]
    together_mb: float
    largest_mb: float

    @property
    def seconds(self) -> float:
        """From its start to its end."""
        return self.ended - self.begun


def run(command: Sequence[str], home: Path) -> Ended:
    """Runs Python with these arguments in the project's folder, with the profile that is shipped.

    Raises BenchmarkError where it ends with another exit code.
    """
    profiles = home / "profiles"
    profiles.mkdir(exist_ok=True)
    (profiles / "profiles.yml").write_bytes((PROJECT / "profiles.example.yml").read_bytes())
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PCI_LOG_REVIEW_")}
    paths = [str(PROJECT / "scripts"), str(PROJECT), inherited.get("PYTHONPATH", "")]
    environment = {"DBT_PROFILES_DIR": str(profiles), "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    memory = _Memory()
    with tempfile.TemporaryFile("w+") as errors:
        begun = time.time()
        process = subprocess.Popen(  # noqa: S603  # the words are ours
            [sys.executable, *command],
            cwd=PROJECT,
            env=inherited | environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        watcher = threading.Thread(target=memory.watch, args=(process.pid,))
        watcher.start()
        lines = [(time.time(), line) for line in process.stdout or ()]
        _, status, usage = os.wait4(process.pid, 0)  # what it waited for itself is counted, too
        process.returncode = os.waitstatus_to_exitcode(status)
        ended = time.time()
        memory.ended.set()
        watcher.join()
        if process.returncode:
            errors.seek(0)
            said = "".join([*(line for _, line in lines[-5:]), *errors.readlines()[-15:]])
            raise BenchmarkError(f"{' '.join(command)}\nended with exit code {process.returncode}:\n{said}")
    return Ended(begun, ended, usage.ru_utime + usage.ru_stime, lines, memory.together / 1e3, memory.largest / 1e3)


def _tree(root: int) -> Iterator[int]:
    """The process and all that come from it."""
    children: dict[int, list[int]] = defaultdict(list)
    for path in _PROC.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):  # it has just ended
            children[int(path.read_text().rpartition(")")[2].split()[1])].append(int(path.parent.name))
    known = [root]
    for pid in known:
        yield pid
        known += children[pid]


def _kilobytes(pid: int) -> tuple[int, int]:
    """The share of memory that is the process's now, and the most that it ever had."""
    with suppress(OSError, AttributeError):  # it has just ended
        share = re.search(r"^Pss: +(\d+)", (_PROC / f"{pid}/smaps_rollup").read_text(), re.MULTILINE)
        peak = re.search(r"^VmHWM:\s+(\d+)", (_PROC / f"{pid}/status").read_text(), re.MULTILINE)
        if share and peak:
            return int(share[1]), int(peak[1])
    return 0, 0
