"""Evidence of days that were never reviewed, sealed as a run seals it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType

from pci_log_review.common.clock import CLOUDTRAIL_BEGAN
from pci_log_review.evidence.chain import MANIFEST, begin_chain, last_link, link, new_id, records, set_latest
from pci_log_review.evidence.history import history
from pci_log_review.evidence.manifest import Conclusion, State, write_manifest
from pci_log_review.evidence.sign_off import parse_decision, sign_off
from pci_log_review.evidence.store import EvidenceStore

NO_FINDINGS = {"10.2.1.4": 0, "10.2.1.6": 0}
PROJECT = {"seeds/catalogue/reviewed_events.csv": "ab" * 32}
TABLES = (
    *("log_coverage.csv", "log_files.csv", "baseline.json", "changed_files.csv", "digests.csv", "expected_lines.csv"),
    *("public_keys.csv", "catalogue/reviewed_events.csv.gz", "settings/trail_scope.csv"),
)
HEADER = "event_time,title,detail,is_expected\n"


def day(number: int) -> date:
    """The days of March 2026."""
    return date(2026, 3, number)


def seal(
    store: EvidenceStore,
    run_date: date,
    state: State = State.COMPLETE,
    unexpected: Mapping[str, int] = NO_FINDINGS,
    *,
    latest: bool = True,
    since: date | None = None,
    run: Mapping[str, object] = MappingProxyType({}),
) -> str:
    """Seals a run of the day; returns its folder. Without `latest` it was interrupted just before the end.

    `since` is the first day that has to be reviewed, by default the first that ever was; `run` is what run.json says
    besides.
    """
    known = records(store.keys())
    first = min(
        (day for day in [run_date, *(record.run_date for record in known)] if day > CLOUDTRAIL_BEGAN), default=None
    )
    return _seal(store, run_date, state, unexpected, since or first, latest=latest, run=run)


def sign(
    store: EvidenceStore, run_date: date, *decisions: str, reason: str | None = None, reviewer: str = "A. Person"
) -> str:
    """Signs the last review of the day as a person does who has seen it; returns the key of the sign-off."""
    [known] = history(store, run_date, run_date)
    seen = known.manifest.sha256 if known.manifest else ""
    return sign_off(store, known, seen, reviewer, [parse_decision(text) for text in decisions], reason).path


def write_tables(staged: Path) -> None:
    """Writes what the evidence of every run has besides daily_review.csv, findings and run.json, all empty."""
    for name in TABLES:
        (staged / name).parent.mkdir(exist_ok=True)
        if not (staged / name).exists():
            (staged / name).write_text("")


def seal_named(store: EvidenceStore, run_date: date) -> str:
    """Seals a complete run of a day that somebody named, where no other day has to be reviewed."""
    return _seal(store, run_date, State.COMPLETE, NO_FINDINGS, None, latest=True)


def _seal(
    store: EvidenceStore,
    run_date: date,
    state: State,
    unexpected: Mapping[str, int],
    since: date | None,
    *,
    latest: bool,
    run: Mapping[str, object] = MappingProxyType({}),
) -> str:
    begin_chain(store)
    known = records(store.keys())
    run_id = new_id(known)
    folder = f"{run_date}/{run_id}"
    gaps = [] if state is State.COMPLETE else ["444455556666 eu-west-1: no logs, though trail_scope expects them daily"]
    conclusion = Conclusion(
        run_date, state, gaps, "integrity not proven: no digest files", dict(unexpected), dict(unexpected)
    )
    with store.staging(folder) as staged:
        (staged / "findings").mkdir()
        write_tables(staged)
        review = "requirement,asks,result,findings,unexpected_findings\n"
        for requirement, count in unexpected.items():
            rows = "".join(f"2026-03-10T08:00:{n:02}Z,A title,What {n} did,false\n" for n in range(count))
            (staged / "findings" / f"{requirement}.csv").write_text(HEADER + rows)
            review += f"{requirement},Something,{'findings' if count else 'no findings'},{count},{count}\n"
        (staged / "daily_review.csv").write_text(review)
        if not unexpected:
            (staged / "findings" / "10.2.1.4.csv").write_text(HEADER)
        about = {"run_date": str(run_date), "target": "local", "state": state.value, "gaps": gaps, **run}
        (staged / "run.json").write_text(json.dumps(about) + "\n")
        content = write_manifest(staged, run_id, conclusion, last_link(store, known), since, PROJECT)
        store.publish(staged, folder, MANIFEST)
    if latest:
        set_latest(store, link(f"{folder}/{MANIFEST}", content))
    return folder
