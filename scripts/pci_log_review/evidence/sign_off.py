"""A person's review of a day (PCI DSS 10.4.1 and 10.4.3): a decision on every requirement with unexpected findings.

A sign-off is bound to the hash of the manifest that was reviewed. It is never changed: a correction is a further one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..common.errors import UsageError
from .chain import Link, last_link, link, new_id, now_or, previous_as_json, records, set_latest, to_json
from .history import Day
from .manifest import FORMAT, Manifest, State
from .sealed import file_faults
from .signature import Verdict, is_visible
from .signer import signer
from .store import EvidenceStore

EVERY_OTHER = "all"
SHOW = "pci-log-review show"


@dataclass(frozen=True)
class Decision:
    """A reviewer's decision on one requirement, and why."""

    requirement: str
    verdict: Verdict
    note: str


def parse_decision(text: str) -> Decision:
    """A decision as the command line has it: `10.2.1.4=incident: ticket 4711`. Raises UsageError."""
    found = re.fullmatch(r"\s*([^=\s]+)\s*=\s*([a-z-]+)\s*:\s*(\S.*?)\s*", text, re.DOTALL)
    if not found or not is_visible(found[3]) or found[2] not in {verdict.value for verdict in Verdict}:
        raise UsageError(
            f"decision {text!r}: write REQUIREMENT={'|'.join(Verdict)}: NOTE, such as '10.2.1.4=incident: ticket 4711'"
        )
    return Decision(found[1], Verdict(found[2]), found[3])


def sign_off(
    store: EvidenceStore, day: Day, seen: str, reviewer: str, decisions: Sequence[Decision], reason: str | None
) -> Link:
    """Writes the sign-off of the day's last review, which has to be the one that was seen: `seen` is the hash of its
    manifest. Returns the link to it. The caller holds the store's lock.

    Raises UsageError where something is left undecided, or the day can't be signed.
    """
    manifest = _signable(store, day, seen)
    if not is_visible(reviewer):
        raise UsageError("reviewer: whoever signs has to give a name, with a letter or a digit that shows")
    if manifest.conclusion.state is not State.COMPLETE and not is_visible(reason or ""):
        raise UsageError(f"the day is {manifest.conclusion.state}; signing it takes a --reason")
    decided = _decided(manifest, decisions)
    known = records(store.keys())
    record_id = new_id(known)
    content: dict[str, Any] = {
        "format": FORMAT,
        "kind": "sign-off",
        "run_date": day.run_date.isoformat(),
        "manifest": {"path": manifest.record.path, "sha256": manifest.sha256},
        "state": manifest.conclusion.state.value,
        "reviewer": reviewer.strip(),
        "by": signer(store.where),
        "signed": now_or(record_id),
        "reason": (reason or "").strip() or None,
        "decisions": [
            {
                "requirement": decision.requirement,
                "unexpected_findings": manifest.conclusion.unexpected_findings[decision.requirement],
                "decision": decision.verdict.value,
                "note": decision.note,
            }
            for decision in decided
        ],
        "previous": previous_as_json(last_link(store, known)),
    }
    try:
        path, data = f"{day.run_date}/sign-off-{record_id}.json", to_json(content)
    except UnicodeEncodeError as error:
        raise UsageError("reviewer, notes and reason have to be text in UTF-8") from error
    store.create(path, data)
    signed = link(path, data)
    set_latest(store, signed)
    return signed


def _signable(store: EvidenceStore, day: Day, seen: str) -> Manifest:
    if fault := day.fault or (day.manifest and next(iter(file_faults(store, day.manifest, store.keys())), None)):
        raise UsageError(f"{day.run_date}: the evidence is not as it was sealed: {fault.where} {fault.text}")
    if day.manifest is None:
        raise UsageError(f"{day.run_date}: there is no sealed review to sign ({day.state})")
    if day.manifest.conclusion.state is State.FAILED:
        raise UsageError(f"{day.run_date}: the last run failed, so there is nothing to sign; run the day again")
    if seen in day.earlier:
        raise UsageError(
            f"{day.run_date}: the day was run again since that review: {SHOW} {day.run_date} shows the last"
        )
    if seen != day.manifest.sha256:
        raise UsageError(
            f"{day.run_date}: --manifest {seen!r} is the hash of no review of the day; {SHOW} {day.run_date} prints it"
        )
    return day.manifest


def _decided(manifest: Manifest, decisions: Sequence[Decision]) -> list[Decision]:
    """A decision for each requirement with unexpected findings, in their order."""
    unexpected = manifest.conclusion.unexpected_findings
    given: dict[str, Decision] = {}
    for decision in decisions:
        if decision.requirement in given:
            raise UsageError(f"decision: {decision.requirement} is decided twice")
        if decision.requirement not in (*unexpected, EVERY_OTHER):
            raise UsageError(
                f"decision: {decision.requirement} is not a requirement; they are: {', '.join(unexpected)}"
            )
        given[decision.requirement] = decision
    other = given.pop(EVERY_OTHER, None)
    if other:
        for requirement, count in unexpected.items():
            if count:
                given.setdefault(requirement, Decision(requirement, other.verdict, other.note))
    undecided = [f"{name} ({count})" for name, count in unexpected.items() if count and name not in given]
    if undecided:
        raise UsageError(
            f"unexpected findings without a decision: {', '.join(undecided)}; give for each "
            "--decision 'REQUIREMENT=expected|incident|follow-up: NOTE'"
        )
    return [given[requirement] for requirement in unexpected if requirement in given]
