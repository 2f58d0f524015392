"""The options of a run, and what it opens once for all its days."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import boto3

from ..cloudtrail.expected import ToProve
from ..cloudtrail.keys import KeysWanted, PublicKey, keys_from_cloudtrail, keys_from_file
from ..cloudtrail.store import LogStore, LogStoreError, open_store
from ..common.aws import S3Place, aws_session, is_s3, named_path, named_place, s3_place
from ..common.errors import UsageError
from ..common.project import home, project_dir, writable_dir
from ..evidence.open import open_evidence
from ..evidence.store import EvidenceError, EvidenceStore
from ..settings.proof import expected_trails
from ..settings.scope import scope_of
from ..warehouse.dbt import CONVERTED, DbtProject
from ..warehouse.lake import Scope, lake_of
from ..warehouse.profile import AthenaConnection, Profile, read_profile
from .snapshot import Snapshot, take_snapshot


@dataclass(frozen=True)
class EvidencePlace:
    """Where the evidence is kept and, on S3, how it is encrypted and how long each file is locked."""

    where: str
    kms_key: str | None = None
    retention_days: int | None = None
    retention_mode: str = "GOVERNANCE"

    def open(self, session: boto3.Session | None = None) -> EvidenceStore:
        """Opens the store, with that AWS identity or the environment's. Raises UsageError if it can't be opened."""
        where = named_place("evidence", self.where)
        try:
            return open_evidence(where, self.kms_key, self.retention_days, self.retention_mode, session)
        except EvidenceError as error:
            raise UsageError(str(error)) from error


@dataclass(frozen=True)
class RunOptions:
    """The options of one run of the review; `settings` that are None are the project's, and a `state` that is None
    lies in the project, or for that of an installed package in the working folder.

    `logs_copied_from` is the s3://bucket/prefix to which CloudTrail delivered the logs, if that is not `logs`.
    """

    logs: str
    target: str
    evidence: EvidencePlace
    settings: Path | None = None
    state: Path | None = None
    public_keys: Path | None = None
    logs_copied_from: str | None = None


@dataclass(frozen=True)
class Run:
    """What the days of a run share, opened once. Paths are absolute.

    What is used of the project and the settings is the `snapshot`; `settings_named` is the folder that the user named.
    `public_keys` are CloudTrail's keys from `public_keys_file`; without a file, CloudTrail is asked for them, unless
    the logs are in a folder. `token` marks what this run converted.
    """

    session: boto3.Session
    profile: Profile
    dbt: DbtProject
    logs: LogStore
    evidence: EvidenceStore
    snapshot: Snapshot
    settings_named: Path
    scope: Scope
    state: Path
    token: str
    public_keys_file: Path | None
    public_keys: Sequence[PublicKey] | None
    logs_copied_from: S3Place | None

    @property
    def settings(self) -> Path:
        """The folder of the settings that are used."""
        return self.snapshot.settings_folder

    def to_prove(self, run_date: date) -> ToProve:
        """What must be proven of the day, as the settings and options say."""
        return ToProve(expected_trails(self.settings, self.scope, run_date), self.logs_copied_from)

    def public_keys_of(self, wanted: KeysWanted, run_date: date) -> Sequence[PublicKey] | None:
        """CloudTrail's keys in the regions around the day; None if they have no source. Raises LogStoreError."""
        if self.public_keys is not None or not is_s3(self.logs.root):
            return self.public_keys
        return keys_from_cloudtrail(self.session, wanted, run_date)


def open_run(options: RunOptions) -> Run:
    """Opens what the run needs. Raises UsageError for every mistake that can be seen before anything runs."""
    project = project_dir()
    named_path("the dbt project", project)
    settings = named_path("settings", options.settings or project / "seeds" / "settings")
    state = named_path("state", options.state or writable_dir(project) / "state")
    lake_of(state)
    logs = named_place("logs", options.logs)
    public_keys_file = named_path("public keys", options.public_keys) if options.public_keys else None
    copied_from = _copied_from(options.logs_copied_from)
    snapshot = take_snapshot(project, settings)
    token = secrets.token_hex(16)
    # dbt, also when used alone, finds logs, settings and state by these
    environment = os.environ | {
        "PCI_LOG_REVIEW_LOGS": logs,
        "PCI_LOG_REVIEW_SETTINGS": "seeds/settings",  # in the snapshot
        "PCI_LOG_REVIEW_STATE": str(state),
        CONVERTED: token,
        "HOME": str(home(state)),  # dbt asks for it
    }
    profile = read_profile(options.target, project, environment)
    if isinstance(profile.connection, AthenaConnection) and not is_s3(logs):
        raise UsageError(f"logs: {logs} is a folder; Athena reads s3://bucket or s3://bucket/prefix")
    session = aws_session(profile.aws_profile_name)
    try:
        log_store = open_store(logs, session)
    except LogStoreError as error:
        raise UsageError(str(error)) from error
    keys = keys_from_file(public_keys_file) if public_keys_file else None
    evidence = options.evidence.open(session)
    if not is_s3(evidence.where) and state.resolve().is_relative_to(Path(evidence.where).resolve()):
        raise UsageError(f"the state, {state}, is inside the evidence, {evidence.where}: give each its own folder")
    dbt = DbtProject(snapshot.folder, profile, state, environment)
    return Run(
        session=session,
        profile=profile,
        dbt=dbt,
        logs=log_store,
        evidence=evidence,
        snapshot=snapshot,
        settings_named=settings,
        scope=scope_of(snapshot.settings_folder, snapshot.folder),
        state=state,
        token=token,
        public_keys_file=public_keys_file,
        public_keys=keys,
        logs_copied_from=copied_from,
    )


def _copied_from(where: str | None) -> S3Place | None:
    """Where CloudTrail delivered the logs. Raises UsageError."""
    if not where:
        return None
    try:
        if is_s3(where):
            return s3_place(where)
    except ValueError:
        pass
    raise UsageError(f"--logs-copied-from {where} is not the s3://bucket/prefix to which CloudTrail delivers the logs")
