"""Findings as sentences: who did what, to what, from where, and how it ended."""

from __future__ import annotations

import re

from .folding import Row, actor_of, session_of

_PAST = {
    "begin": "began", "bring": "brought", "choose": "chose", "forbid": "forbade", "get": "got", "give": "gave",
    "leave": "left", "let": "let", "make": "made", "put": "put", "read": "read", "rebuild": "rebuilt",
    "reset": "reset", "run": "ran", "send": "sent", "set": "set", "shut": "shut", "take": "took",
    "withdraw": "withdrew", "write": "wrote", "override": "overrode", "submit": "submitted", "permit": "permitted",
}  # fmt: skip
_DOUBLED = {"stop", "tag", "untag", "drop", "map", "unmap", "ship", "swap", "unwrap", "plan"}
# Titles that a model gives itself say why the row is there, not what was done
_NOT_A_CALL = re.compile(r".* acted( as root)?|Call refused|Record without .*")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_VERSION = re.compile(r"_?20\d\d_?\d\d_?\d\d(v\d+)?$|V\d+$")
_SIGN_IN = "ConsoleLogin"


def deed(row: Row) -> tuple[str, str]:
    """What was done and what was tried, as in `created a user` and `create a user`."""
    if row.get("event_name") == _SIGN_IN:
        return "signed in to the console", "sign in to the console"
    title = row.get("title", "")
    if not title or _NOT_A_CALL.fullmatch(title):
        title = _words(row.get("event_name", ""))
        if not title:
            return "did something unnamed", "do something unnamed"
    verb, _, rest = title.partition(" ")
    return f"{_past(verb.lower())} {rest}".strip(), f"{verb.lower()} {rest}".strip()


def sentence(row: Row, actor: str, resource: str) -> str:
    """A sentence on the call: `resource` is what it acted on, or empty; the origin is said by whoever lists the calls.

    A refused or failed call never reads as if it had been done.
    """
    done, tried = deed(row)
    on = f" on {resource}" if resource else ""
    code = f" ({row['error_code']})" if row.get("error_code") else ""
    without = _without_mfa(row)
    match row.get("outcome", "success"):
        case "success":
            return f"{actor} {done}{on}{without}"
        case "denied":
            return f"{actor} tried to {tried}{on}{without}, and was refused{code}"
        case _:
            return f"{actor} tried to {tried}{on}{without}, and it failed{code}"


def whole_sentence(row: Row) -> str:
    """The sentence of one finding, with its own session, origin and resource."""
    actor, session = actor_of(row), session_of(row)
    who = f"{actor} (session {session})" if session and f"({session})" not in actor else actor
    text = sentence(row, who, row.get("resource", ""))
    return f"{text}, from {row.get('source_ip') or 'an origin that was not recorded'}"


def mfa(row: Row) -> str:
    """What the record can tell of MFA: of a session that a role or an identity provider gave, `false` tells nothing."""
    if row.get("mfa_authenticated") == "true":
        return "yes"
    is_told = row.get("mfa_authenticated") == "false" and row.get("principal_kind") in ("root", "user")
    return "no" if is_told and row.get("actor_is_service") != "true" else "not recorded"


def _without_mfa(row: Row) -> str:
    if row.get("mfa_authenticated") != "false" or row.get("actor_is_service") == "true":
        return ""
    if mfa(row) == "no":
        return ", without MFA"
    return ", MFA not recorded" if row.get("event_name") == _SIGN_IN else ""


def _words(event_name: str) -> str:
    """`DeleteDBInstance` as `delete DB instance`."""
    found = _WORDS.findall(_VERSION.sub("", event_name).replace("Lookup", "LookUp"))
    return " ".join(word if len(word) > 1 and word.isupper() else word.lower() for word in found)


def _past(verb: str) -> str:
    if verb in _PAST:
        return _PAST[verb]
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if re.search("[^aeiou]y$", verb):
        return f"{verb[:-1]}ied"
    return f"{verb}ed"
