"""What dbt kept when it parsed the project, for all checkouts of a test run.

Parsing takes most of the time in which a run of dbt starts. A checkout that has no state yet begins with what another
one parsed; dbt itself decides, by its own rules, what of that is still true, and parses again what differs in files,
variables and versions. Among what it compares is the connection, which names the state of each checkout, and on which
nothing that is parsed depends: of that one the checksum is put right. On Athena the name of each place's database is
part of what is parsed, so there nothing is kept.
"""

from __future__ import annotations

import pprint
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from os import getpid
from pathlib import Path
from typing import Any, ClassVar

import yaml

_PARSED = "partial_parse.msgpack"
_PROFILE = "profiles.yml"


@dataclass(frozen=True)
class ParsedProject:
    """One kind of run: what dbt parsed for one target with one set of variables."""

    folder: ClassVar[Path | None] = None  # set for a test run (tests/conftest.py)
    target: str
    variables: str

    def give(self, target_path: Path, profiles: Path, environment: Mapping[str, str]) -> None:
        """Copies what is kept to a target path that has nothing yet."""
        kept, is_new = self._kept, not (target_path / _PARSED).exists() and not target_path.is_symlink()
        if kept and kept.is_dir() and is_new and (profiles / _PROFILE).is_file():
            ours = (kept / "checksum").read_bytes()
            theirs = _checksum(profiles, self.target, environment)
            target_path.mkdir(parents=True, exist_ok=True)
            (target_path / _PARSED).write_bytes((kept / _PARSED).read_bytes().replace(ours, theirs))

    def keep(self, target_path: Path, profiles: Path, environment: Mapping[str, str]) -> None:
        """Keeps what dbt wrote to a target path, unless something is kept already."""
        if (kept := self._kept) and (written := target_path / _PARSED).is_file() and not kept.exists():
            unfinished = kept.with_name(f"{kept.name}.{getpid()}")
            unfinished.mkdir()
            shutil.copy(written, unfinished / _PARSED)
            (unfinished / "checksum").write_bytes(_checksum(profiles, self.target, environment))
            try:
                unfinished.rename(kept)
            except OSError:  # another process was first
                shutil.rmtree(unfinished)

    @property
    def _kept(self) -> Path | None:
        if self.folder is None or self.target != "local":
            return None
        return self.folder / sha256(f"{self.target} {self.variables}".encode()).hexdigest()[:16]


def _checksum(profiles: Path, target: str, environment: Mapping[str, str]) -> bytes:
    """dbt's checksum of a target's connection (build_manifest_state_check in dbt/parser/manifest.py)."""
    from dbt.adapters.duckdb.credentials import DuckDBCredentials

    outputs = yaml.safe_load((profiles / _PROFILE).read_text())["pci_log_review"]["outputs"]
    output = _rendered(outputs[target], dict(environment))
    output.pop("type")
    output.pop("threads", None)
    data = DuckDBCredentials.translate_aliases(output)
    DuckDBCredentials.validate(data)
    connection = sorted(DuckDBCredentials.from_dict(data).connection_info())
    return sha256(pprint.pformat(connection).encode()).hexdigest().encode()


def _rendered(output: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    from dbt.config.renderer import ProfileRenderer

    renderer = ProfileRenderer({})
    renderer.context["env_var"] = lambda name, default=None: environment.get(name, default)
    rendered: dict[str, Any] = renderer.render_data(output)
    return rendered
