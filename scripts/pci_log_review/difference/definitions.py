"""Compares what dbt parsed of two projects: tests, unit tests, contracts, descriptions; and pytest's tests by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .notices import Notice

Manifest = dict[str, Any]
Parts = dict[str, Any]  # of one definition

# What lets a test fail less often, by the setting that does it
_SETTINGS = ("severity", "error_if", "warn_if", "where", "limit", "fail_calc")
_SKIPPING = {"skip", "skipif", "xfail"}


def definition_notices(before: Manifest, after: Manifest) -> Iterator[Notice]:
    """What changed in tests, unit tests, contracts and descriptions."""
    yield from _compared("test", _tests(before), _tests(after), _test_change)
    yield from _compared("unit test", _unit_tests(before), _unit_tests(after), _unit_test_change)
    yield from _compared("test macro", _test_macros(before), _test_macros(after), _other_sql)
    yield from _compared("contract", _contracts(before), _contracts(after), _contract_change)
    yield from _compared("description", _descriptions(before), _descriptions(after), _description_change)


def changed_sql(before: Manifest, after: Manifest) -> list[str]:
    """Models and macros of the project whose SQL is another, or new, or gone."""
    old, new = _sql(before), _sql(after)
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def pytest_notices(base: Path, head: Path) -> Iterator[Notice]:
    """Which of pytest's tests are gone, or are skipped now."""
    old, new = _pytest(base / "tests"), _pytest(head / "tests")
    for name in sorted(old):
        if name not in new:
            yield Notice("pytest test", name, "removed", is_weaker=True)
        elif new[name] > old[name]:
            yield Notice("pytest test", name, "is skipped, or may fail", is_weaker=True)


def _compared(what: str, before: Parts, after: Parts, change: Any) -> Iterator[Notice]:
    """A notice for each definition that is gone, and for each that `change` finds other: (text, is it weaker)."""
    for name in sorted(before):
        if name not in after:
            yield Notice(what, name, "removed", is_weaker=True)
        elif before[name] != after[name]:
            yield from (Notice(what, name, text, is_weaker) for text, is_weaker in change(before[name], after[name]))
    for name in sorted(set(after) - set(before) if what != "description" else ()):  # what is new says its own
        yield Notice(what, name, "added")


def _tests(manifest: Manifest) -> Parts:
    found: Parts = {}
    for node in manifest["nodes"].values():
        if node["resource_type"] != "test":
            continue
        metadata = node.get("test_metadata")
        if metadata:
            of = ".".join(filter(None, ((node.get("attached_node") or "").rpartition(".")[2], node["column_name"])))
            arguments = {key: value for key, value in metadata["kwargs"].items() if key not in ("model", "column_name")}
            name, sql = f"{metadata['name']} of {of}", ""
        else:
            name, sql, arguments = node["name"], node["raw_code"], {}
        while name in found:
            name += " (another)"
        found[name] = {
            "sql": sql,
            "arguments": arguments,
            "settings": {key: node["config"].get(key) for key in _SETTINGS},
        }
    return found


def _test_change(before: Parts, after: Parts) -> Iterator[tuple[str, bool]]:
    for key, old in before["settings"].items():
        new = after["settings"][key]
        if old != new:
            yield f"{key} is {new}, and was {old}", True
    for key in sorted({*before["arguments"], *after["arguments"]}):
        old, new = before["arguments"].get(key), after["arguments"].get(key)
        if old != new:
            allows_less = key == "values" and set(map(str, new or ())) < set(map(str, old or ()))
            yield f"{key} is {new}, and was {old}", not allows_less
    if before["sql"] != after["sql"]:
        yield "its SQL is another", True


def _unit_tests(manifest: Manifest) -> Parts:
    return {
        f"{test['model']}: {test['name']}": {key: test.get(key) for key in ("given", "expect", "overrides")}
        for test in manifest["unit_tests"].values()
    }


def _unit_test_change(before: Parts, after: Parts) -> Iterator[tuple[str, bool]]:
    old, new = (part["expect"].get("rows") or [] for part in (before, after))
    if isinstance(old, list) and isinstance(new, list):
        gone = sum(row not in new for row in old)
        if gone:
            yield f"{gone} of the {len(old)} rows that it expected are gone or others", True
            return
    yield "is another; every row that it expected, it expects", False


def _test_macros(manifest: Manifest) -> Parts:
    return {
        macro["name"]: macro["macro_sql"]
        for macro in manifest["macros"].values()
        if macro["name"].startswith("test_") and macro["package_name"] == manifest["metadata"]["project_name"]
    }


def _sql(manifest: Manifest) -> Parts:
    project = manifest["metadata"]["project_name"]
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    macros = (macro for macro in manifest["macros"].values() if macro["package_name"] == project)
    return {f"model {node['name']}": node["raw_code"] for node in models} | {
        f"macro {macro['name']}": macro["macro_sql"] for macro in macros
    }


def _other_sql(_: str, __: str) -> Iterator[tuple[str, bool]]:
    yield "its SQL is another", True


def _contracts(manifest: Manifest) -> Parts:
    return {
        node["name"]: {
            "enforced": node["contract"]["enforced"],
            "columns": {
                column["name"]: (column["data_type"], [kind["type"] for kind in column["constraints"]])
                for column in node["columns"].values()
            },
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }


def _contract_change(before: Parts, after: Parts) -> Iterator[tuple[str, bool]]:
    if before["enforced"] != after["enforced"]:
        yield ("is enforced now", False) if after["enforced"] else ("is no longer enforced", True)
    for name in [*before["columns"], *(name for name in after["columns"] if name not in before["columns"])]:
        old, new = before["columns"].get(name), after["columns"].get(name)
        if new is None:
            yield f"column {name} removed", True
        elif old is None:
            yield f"column {name} added", False
        elif old[0] != new[0]:
            yield f"column {name} is {new[0] or 'of any type'}, and was {old[0] or 'of any type'}", True
        elif old[1] != new[1]:
            yield f"column {name} has the constraints {new[1]}, and had {old[1]}", not set(old[1]) <= set(new[1])


def _descriptions(manifest: Manifest) -> Parts:
    """The description of everything that has one; what has none is not described."""
    found: Parts = {}
    project = manifest["metadata"]["project_name"]
    for group in ("nodes", "sources", "macros", "unit_tests"):
        for node in manifest[group].values():
            if node["package_name"] != project or (node["resource_type"], group) == ("test", "nodes"):
                continue
            name = f"{node['resource_type']} {node['name']}"
            found[name] = node.get("description") or ""
            for column in (node.get("columns") or {}).values():
                found[f"{name}.{column['name']}"] = column["description"] or ""
    return {name: " ".join(text.split()) for name, text in found.items() if text.strip()}


def _description_change(before: str, after: str) -> Iterator[tuple[str, bool]]:
    is_short = len(after) < len(before) / 2
    text = f"shortened from {len(before)} to {len(after)} characters" if is_short else "worded in another way"
    yield text, is_short


def _pytest(tests: Path) -> dict[str, int]:
    """Each test function, by file and name, and how many marks it has that let it be skipped or fail."""
    found = {}
    for path in sorted(tests.rglob("test_*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue  # of the base, it never ran; of this project, its tests are missing
        of_file = sum(_skipping(node.value) for node in tree.body if isinstance(node, ast.Assign))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = f"{path.relative_to(tests).as_posix()}: {node.name}"
                found[name] = of_file + sum(map(_skipping, node.decorator_list))
    return found


def _skipping(code: ast.expr) -> int:
    return sum(isinstance(node, ast.Attribute) and node.attr in _SKIPPING for node in ast.walk(code))
