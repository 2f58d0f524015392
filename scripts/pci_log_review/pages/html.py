"""HTML in which nothing runs and nothing is fetched but what the page itself brings, named by its hash."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from .visible import visible

_TEMPLATES = Path(__file__).parent / "templates"


def render(template: str, style: str, script: str | None = None, **values: Any) -> bytes:
    """The page of a template in templates/, with its style and its script in it.

    Every value is escaped by Jinja, and what in it would not show is made visible. The page's policy allows this very
    style and script alone: no other, no connection, no form, no frame, and no image but its empty icon.
    """
    css = _text(style)
    js = _text(script) if script else None
    policy = "; ".join(
        [
            "default-src 'none'",
            f"style-src {_hash(css)}",
            f"script-src {_hash(js)}" if js else "script-src 'none'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    page = _environment().get_template(template)
    inline = {"style": Markup(css), "script": Markup(js) if js else None}  # noqa: S704  # files of this package
    return page.render(policy=policy, **inline, **values).encode()


def unwritten(page: str, why: str) -> str:
    """The note on a page of a day that could not be written."""
    return f"{page} could not be written ({why}): the tables have all"


def counted(number: int | str, what: str) -> str:
    """`1 event`, `2,900 events`; the number as it is, where it is none."""
    text = str(number)
    return f"{int(text):,} {what}{'' if int(text) == 1 else 's'}" if text.isdecimal() else f"{text} {what}s"


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )


def _finalize(value: Any) -> Any:
    """Whatever a template prints: text shows as it is."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
