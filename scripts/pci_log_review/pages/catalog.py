"""catalog.html: dbt's own documentation of the project that made a day's evidence, as one file that fetches nothing:
what each model asks and each column means, the rule's SQL, its tests, the lineage, and the types and numbers of rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dbt.task.docs

from ..warehouse.dbt import Described
from .html import unwritten

CATALOG = "catalog.html"

_PROJECT = "pci_log_review"
# What dbt's page brings itself may run, and nothing else may be fetched or sent
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; base-uri 'none'; form-action 'none'"
)

# The way back to the other pages of the day's folder, above dbt's own page, which fills the window
_NAV = (
    '<nav aria-label="Pages" style="position:fixed;bottom:0;right:0;z-index:9999;padding:.2rem .6rem;'
    'background:#fff;border:1px solid #ccc;font:14px sans-serif"><a href="../../index.html">all days</a> · '
    '<a href="report.html">report</a> · <a href="assessor.html">assessor\'s index</a></nav>'
)


def with_catalog(
    folder: Path, described: Described | str, count: Callable[[Mapping[str, bool]], dict[str, int]]
) -> list[str]:
    """Writes the catalogue into the day's folder, from what `described` returned. `count` tells the rows of relations:
    those of the day, or all of those for which no days are told apart (False).

    Where that fails, the day is reviewed all the same; returned is then a note on it.
    """
    if isinstance(described, str):
        return _told(described)
    try:
        (folder / CATALOG).write_bytes(_page(described, count(_counted(described))))
    except Exception as error:
        return _told(str(error))
    return []


def _told(why: str) -> list[str]:
    return [unwritten(CATALOG, " ".join(why.split())[:200])]


def _counted(described: Described) -> dict[str, bool]:
    """The tables of the catalog, and whether their days are told apart; a view's rows are those of its tables."""
    nodes = described.manifest["nodes"]
    found = {unique_id: nodes[unique_id] for unique_id in described.catalog["nodes"]}
    return {
        node["name"]: node["config"]["materialized"] == "incremental"
        for node in found.values()
        if node["config"]["materialized"] != "view"
    }


def _page(described: Described, rows: Mapping[str, int]) -> bytes:
    manifest, catalog = described.manifest, described.catalog
    # dbt's own macros, most of its manifest, are documented by dbt
    macros = {name: it for name, it in manifest["macros"].items() if it["package_name"] == _PROJECT}
    metadata = manifest["metadata"] | {"send_anonymous_usage_stats": False, "user_id": None}
    nodes = {
        name: it | {"stats": _stats(rows.get(manifest["nodes"][name]["name"]))} for name, it in catalog["nodes"].items()
    }
    page = (Path(dbt.task.docs.__file__).parent / "index.html").read_text(encoding="utf-8")
    for place, content in (
        ("MANIFEST.JSON INLINE DATA", manifest | {"macros": macros, "metadata": metadata}),
        ("CATALOG.JSON INLINE DATA", catalog | {"nodes": nodes}),
    ):
        if (marked := f'"{place}"') not in page:
            raise ValueError(f"dbt's index.html has no place for {place}")
        page = page.replace(marked, _in_script(content))
    head, begin, rest = page.partition("<head>")
    page = f'{head}{begin}<meta http-equiv="Content-Security-Policy" content="{_POLICY}">{rest}'
    if "<body>" not in page:
        raise ValueError("dbt's index.html has no body")
    return page.replace("<body>", f"<body>{_NAV}", 1).encode()


def _stats(rows: int | None) -> dict[str, Any]:
    counted = {"id": "row_count", "label": "Rows", "value": rows, "include": True, "description": "Of the day"}
    return {
        **({"row_count": counted} if rows is not None else {}),
        "has_stats": {
            "id": "has_stats",
            "label": "Has Stats?",
            "value": rows is not None,
            "include": False,
            "description": "",
        },
    }


def _in_script(content: Any) -> str:
    """JSON that can't end the script in which it stands."""
    return json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
