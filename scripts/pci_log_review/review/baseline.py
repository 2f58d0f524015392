"""What earlier reviews had and this one has not: digests, accounts and regions, lines of the settings.

Each sealed run keeps in baseline.json what the next one must have too. What is missing is a gap, day after day, until
it is there again or a line of settings_changes.csv says why it is not.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..cloudtrail.digests import TrailDigests
from ..cloudtrail.expected import ToProve
from ..common import clock
from ..common.files import read_regular
from ..evidence.chain import Record
from ..evidence.manifest import Manifest, State, read_manifest
from ..evidence.store import EvidenceError, EvidenceStore
from ..settings.checks import COMPARED
from ..settings.compared import Line, approved, compared_lines, is_kept

BASELINE = "baseline.json"
DIGESTS = "digests"  # stands for a setting in settings_changes.csv


@dataclass(frozen=True)
class Baseline:
    """What a run has, and what it lacks without a reason, each with the last day of it; and a gap for what it lacks."""

    lines: dict[Line, date]
    gaps: list[str]

    def write(self, folder: Path) -> None:
        """Writes it to the run's evidence."""
        content = [
            {"setting": setting, "line": line, "last_seen": str(day)}
            for (setting, line), day in sorted(self.lines.items())
        ]
        (folder / BASELINE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def compare(
    store: EvidenceStore,
    known: list[Record],
    settings: Path,
    regions: list[str],
    run_date: date,
    trails: list[TrailDigests],
    to_prove: ToProve,
) -> Baseline:
    """Compares with the last sealed run: the settings with its settings, whatever its day; and the day's digests with
    those of earlier days. `trails` are those with digests on the day; `regions` are those of the catalogue.
    """

    def text_of(setting: str) -> str:
        path = settings / f"{setting}.csv"
        return read_regular(path).decode("utf-8-sig") if path.exists() else ""

    before, gaps = _last(store, known, regions)
    lines = compared_lines(text_of, regions)
    digests = {(DIGESTS, trail.name) for trail in trails if trail.is_trusted}
    is_approved = approved(text_of("settings_changes"))
    found = dict.fromkeys(lines, clock.today()) | dict.fromkeys(digests, run_date)
    lost: dict[Line, date] = {}
    for line, last_seen in before.items():
        if line in found:
            found[line] = max(found[line], last_seen)
        elif line[0] == DIGESTS and last_seen > run_date:
            found[line] = last_seen  # it may have come later
        elif not (line[0] != DIGESTS and is_kept(line, lines)) and not is_approved(line, last_seen):
            lost[line] = last_seen
    told = {line: day for line, day in lost.items() if not (line[0] == DIGESTS and _is_expected(line[1], to_prove))}
    kept = {line[0] for line in before.keys() - lost.keys()}
    return Baseline(found | lost, gaps + list(_gaps(told, {text for _, text in lines}, kept)))


def _is_expected(digests: str, to_prove: ToProve) -> bool:
    """Whether the check of the digests itself says that they are missing."""
    trail, folder, region = digests.rsplit(" ", 2)
    account_id = folder.rpartition("/")[2]
    return any((it.name, it.account_id, it.region) == (trail, account_id, region) for it in to_prove.trails)


def _gaps(lost: dict[Line, date], today: set[str], kept: set[str]) -> Iterator[str]:
    """One line for each thing that is missing; an account that left the scope is one thing, and so are all lines of a
    setting, as where its file has another form since. `kept` are the settings that lost not all.
    """
    still = {text.split(" ")[0] for text in today}
    many = Counter(setting for setting, _ in lost)
    shown: dict[Line, date] = {}
    for (setting, text), day in sorted(lost.items()):
        if setting not in {*kept, DIGESTS} and many[setting] > 1:
            text = "*"
        elif setting == "trail_scope":
            account_id = text.split(" ")[0]
            if account_id not in still:
                text = f"{account_id} *"
            elif (setting, text.removesuffix(" daily")) in shown:
                continue
        shown[setting, text] = max(day, shown.get((setting, text), day))
    for (setting, text), day in shown.items():
        what = f"digests: none of {text}, which were there on" if setting == DIGESTS else _lost(setting, text)
        yield (
            f"{what} {day}; put it right, or say why in settings_changes.csv, as in "
            f"{clock.today()},{setting},{text},why,who"
        )


def _lost(setting: str, text: str) -> str:
    if text == "*":
        return f"settings: {setting}.csv no longer has any of the lines that it had in the review sealed on"
    return f"settings: {setting}.csv no longer has '{text}', as it had in the review sealed on"


def _last(store: EvidenceStore, known: list[Record], regions: list[str]) -> tuple[dict[Line, date], list[str]]:
    """What the last sealed run had, and gaps where that can't be known. Runs that failed say nothing of it."""
    gaps: list[str] = []
    for record in reversed([record for record in known if record.kind == "run"]):
        try:
            manifest = read_manifest(store, record)
            if manifest.conclusion.state is not State.FAILED:
                return _baseline_of(store, manifest, regions), gaps
        except (EvidenceError, ValueError, KeyError, TypeError) as error:
            gaps.append(f"what the review {record.folder} had can't be compared: {error}")
    return {}, gaps


def _baseline_of(store: EvidenceStore, manifest: Manifest, regions: list[str]) -> dict[Line, date]:
    def text_of(name: str) -> str:
        if name not in manifest.files:
            return ""
        path = f"{manifest.record.folder}/{name}"
        data = store.read(path)
        if hashlib.sha256(data).hexdigest() != manifest.files[name][1]:
            raise EvidenceError(f"evidence: {path} was changed after it was sealed; run pci-log-review verify")
        return data.decode("utf-8")

    if BASELINE in manifest.files:
        content = json.loads(text_of(BASELINE))
        return {(str(it["setting"]), str(it["line"])): date.fromisoformat(it["last_seen"]) for it in content}
    # sealed by a version that kept none
    sealed = date.fromisoformat(manifest.record.id[:8])
    lines = compared_lines(lambda setting: text_of(f"settings/{setting}.csv"), regions)
    return {line: sealed for line in lines if line[0] in COMPARED}
