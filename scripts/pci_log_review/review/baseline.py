"""What earlier reviews had and this one has not: digests, accounts and regions, lines of the settings, what the product
reviews.

Each sealed run keeps in baseline.json what the next one must have too. What is missing is a gap, day after day, until
it is there again or a line of settings_changes.csv says why it is not.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..cloudtrail.digests import TrailDigests
from ..cloudtrail.expected import ToProve
from ..common import clock
from ..common.project import requirements
from ..evidence.chain import Record, proven_records
from ..evidence.manifest import Manifest, State, read_manifest
from ..evidence.sealed import read_file
from ..evidence.store import EvidenceError, EvidenceStore
from ..settings.checks import COMPARED, COVERED
from ..settings.compared import Line, approved, compared_lines, covered_lines, is_kept

BASELINE = "baseline.json"
DIGESTS = "digests"  # stands for a setting in settings_changes.csv
_SHOWN = 3


@dataclass(frozen=True)
class Baseline:
    """What a run has, and what it lacks without a reason, each with the last day of it; and a gap for what it lacks.

    Of the catalogue only what is lacking stands here: the rest is sealed beside it.
    """

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
    catalogue: Path,
    regions: Mapping[str, str],
    run_date: date,
    trails: list[TrailDigests],
    to_prove: ToProve,
) -> Baseline:
    """Compares with the last sealed run: the settings with its settings, whatever its day; and the day's digests with
    those of earlier days. `trails` are those with digests on the day; `regions` are those of the catalogue, and
    `catalogue` is its folder.
    """

    text_of = _texts_in(settings)
    before, gaps = _last(store, known, regions)
    lines = compared_lines(text_of, regions) | {("requirements", name) for name in requirements()}
    covered = covered_lines(_texts_in(catalogue))
    digests = {(DIGESTS, trail.name) for trail in trails if trail.is_trusted}
    is_approved = approved(text_of("settings_changes"))
    found = dict.fromkeys(lines, clock.today()) | dict.fromkeys(digests, run_date)
    lost: dict[Line, date] = {}
    for line, last_seen in before.items():
        if line in covered:
            continue
        if line in found:
            found[line] = max(found[line], last_seen)
        elif line[0] == DIGESTS and last_seen > run_date:
            found[line] = last_seen  # it may have come later
        elif not (line[0] != DIGESTS and is_kept(line, lines)) and not is_approved(line, last_seen):
            lost[line] = last_seen
    told = {line: day for line, day in lost.items() if not (line[0] == DIGESTS and _is_expected(line[1], to_prove))}
    kept = {line[0] for line in before.keys() - lost.keys()}
    return Baseline(found | lost, gaps + list(_gaps(told, {text for _, text in lines}, kept)))


def _texts_in(folder: Path) -> Callable[[str], str]:
    """Gives the content of a file in the folder, and an empty text where there is none."""

    def text_of(name: str) -> str:
        path = folder / f"{name}.csv"
        return path.read_text("utf-8-sig") if path.exists() else ""

    return text_of


def _is_expected(digests: str, to_prove: ToProve) -> bool:
    """Whether the check of the digests itself says that they are missing."""
    trail, folder, region = digests.rsplit(" ", 2)
    account_id = folder.rpartition("/")[2]
    return any((it.name, it.account_id, it.region) == (trail, account_id, region) for it in to_prove.trails)


def _gaps(lost: dict[Line, date], today: set[str], kept: set[str]) -> Iterator[str]:
    """One line for each thing that is missing; an account that left the scope is one thing, and so are all lines of a
    setting, as where its file has another form since, and all lines that the catalogue lost. `kept` are the settings
    that lost not all.
    """
    still = {text.split(" ")[0] for text in today}
    many = Counter(setting for setting, _ in lost)
    shown: dict[Line, date] = {}
    for (setting, text), day in sorted(lost.items()):
        if many[setting] > 1 and (setting in COVERED or setting not in {*kept, DIGESTS}):
            text = "*"
        elif setting == "trail_scope":
            account_id = text.split(" ")[0]
            if account_id not in still:
                text = f"{account_id} *"
            elif (setting, text.removesuffix(" daily")) in shown:
                continue
        shown[setting, text] = max(day, shown.get((setting, text), day))
    for (setting, text), day in shown.items():
        if setting in COVERED:
            what = _no_longer_covered(setting, sorted(it for name, it in lost if name == setting))
        else:
            what = f"digests: none of {text}, which were there on" if setting == DIGESTS else _lost(setting, text)
        yield (
            f"{what} {day}; put it right, or say why in settings_changes.csv, as in "
            f"{clock.today()},{setting},{text},why,who"
        )


def _lost(setting: str, text: str) -> str:
    if text == "*":
        return f"settings: {setting}.csv no longer has any of the lines that it had in the review sealed on"
    return f"settings: {setting}.csv no longer has '{text}', as it had in the review sealed on"


def _no_longer_covered(setting: str, lines: list[str]) -> str:
    named = ", ".join(f"'{line}'" for line in lines[:_SHOWN])
    rest = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    return f"what is reviewed: {setting} no longer has {named}{rest}, as it had in the review sealed on"


def _last(store: EvidenceStore, known: list[Record], regions: Mapping[str, str]) -> tuple[dict[Line, date], list[str]]:
    """What the last sealed run had, and gaps where that can't be known. Runs that failed say nothing of it."""
    gaps: list[str] = []
    left = [record for record in known if record.kind == "run"]
    for record, data in proven_records(store, known):
        if record.kind != "run":
            continue
        left.remove(record)
        try:
            manifest = read_manifest(record, data)
            if manifest.conclusion.state is not State.FAILED:
                return _baseline_of(store, manifest, regions), gaps
        except (EvidenceError, ValueError, KeyError, TypeError) as error:
            gaps.append(f"what the review {record.folder} had can't be compared: {error}")
    if left:
        gaps.append(f"what the review {left[-1].folder} had can't be compared: the chain does not vouch for it")
    return {}, gaps


def _baseline_of(store: EvidenceStore, manifest: Manifest, regions: Mapping[str, str]) -> dict[Line, date]:
    def read(name: str) -> bytes:
        return read_file(store, manifest, name) if name in manifest.files else b""

    sealed = date.fromisoformat(manifest.record.id[:8])
    covered = covered_lines(lambda name: gzip.decompress(read(f"catalogue/{name}.csv.gz")).decode())
    before = dict.fromkeys(covered, sealed)
    if BASELINE in manifest.files:
        content = json.loads(read(BASELINE))
        lines = {(str(it["setting"]), str(it["line"])): date.fromisoformat(it["last_seen"]) for it in content}
        return before | lines
    # sealed by a version that kept none
    settings = compared_lines(lambda setting: read(f"settings/{setting}.csv").decode(), regions)
    return before | {line: sealed for line in settings if line[0] in COMPARED}
