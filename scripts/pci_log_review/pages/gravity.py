"""How grave a finding is: what its flags and its requirement mean, and whether it was done or only tried."""

from __future__ import annotations

from enum import IntEnum

from .folding import Row


class Gravity(IntEnum):
    """The order in which findings are read; what was only tried comes after all that was done and is as grave."""

    ROOT = 0
    PRIVILEGE = 1
    LOGS = 2
    WORLD = 3
    SIGN_IN = 4
    CREDENTIALS = 5
    FLAGGED = 6
    TRIED = 7  # one of the above, refused or failed
    DELETED = 8
    CHANGED = 9
    READ = 10
    REFUSED = 11  # anything else that was refused or failed
    SERVICE = 12


class Touch(IntEnum):
    """What a call does: among calls as grave, what is lost or changed is read before what was only read."""

    DELETES = 0
    CHANGES = 1
    READS = 2


WORDS = {
    Gravity.ROOT: "root acted",
    Gravity.PRIVILEGE: "privileges granted",
    Gravity.LOGS: "audit logs stopped or changed",
    Gravity.WORLD: "opened to the world",
    Gravity.SIGN_IN: "signed in without MFA",
    Gravity.CREDENTIALS: "credentials changed",
    Gravity.FLAGGED: "to be looked at",
    Gravity.TRIED: "tried",
    Gravity.DELETED: "deleted",
    Gravity.CHANGED: "changed",
    Gravity.READ: "read",
    Gravity.REFUSED: "refused or failed",
    Gravity.SERVICE: "an AWS service",
}

# What a flag of models/requirements means for the order. One that is not here ranks as FLAGGED: it never ranks lower
# for being unknown.
_FLAGS = {
    "root": Gravity.ROOT,
    "session of root": Gravity.ROOT,
    "elevation": Gravity.PRIVILEGE,
    "administrative grant": Gravity.PRIVILEGE,
    "administrator role": Gravity.PRIVILEGE,
    "opens to the world": Gravity.WORLD,
    "without mfa": Gravity.SIGN_IN,
    "deleted": Gravity.DELETED,
    "created": Gravity.CHANGED,
    "changed": Gravity.CHANGED,
    "content": Gravity.CHANGED,
}
# These say why the row is a finding at all, which its requirement says already
_PLAIN_FLAGS = frozenset({"administrator", "refused", "data event", "sign-in"})
_WORLD = "may open to the world"
_OF_TOUCH = {Touch.DELETES: Gravity.DELETED, Touch.CHANGES: Gravity.CHANGED, Touch.READS: Gravity.READ}
_DELETING = ("Delete", "Terminate", "Remove", "Deregister", "Schedule", "Purge", "Disable", "Stop")


def touch_of(row: Row) -> Touch:
    """What the call of a finding does; one of which that is not recorded may change."""
    if row.get("is_read_only") == "true":
        return Touch.READS
    return Touch.DELETES if row.get("event_name", "").startswith(_DELETING) else Touch.CHANGES


def gravity_of(meant: Gravity, row: Row) -> Gravity:
    """The gravity of a finding as it ended, from what meant_of says of it and its row in the evidence."""
    if row.get("outcome", "success") == "success":
        return meant
    return Gravity.TRIED if meant < Gravity.TRIED else Gravity.REFUSED


def meant_of(requirement: str, row: Row) -> Gravity:
    """The gravity that a requirement's finding has, or would have if it had been done."""
    found = min([*map(_of_flag, flags_of(row)), _of_requirement(requirement, row)])
    if row.get("actor_is_service") == "true" and row.get("principal_kind") in ("root", "service"):
        # AWS itself, not a person who has a service act for them; what it grants or stops is grave all the same
        others = [_of_flag(flag) for flag in flags_of(row) if _of_flag(flag) is not Gravity.ROOT]
        found = min([*others, _of_requirement(requirement, row)])
        found = found if found in (Gravity.PRIVILEGE, Gravity.LOGS, Gravity.WORLD) else Gravity.SERVICE
    return found


def flags_of(row: Row) -> list[str]:
    """The flags of a finding."""
    return [flag.strip() for flag in row.get("flags", "").split(",") if flag.strip()]


def _of_flag(flag: str) -> Gravity:
    known = flag.lower()
    if known in _PLAIN_FLAGS:
        return Gravity.REFUSED
    if known.startswith(_WORLD):
        return Gravity.WORLD
    return _FLAGS.get(known, Gravity.FLAGGED)


def _of_requirement(requirement: str, row: Row) -> Gravity:
    if requirement == "10.2.1.6":
        return Gravity.LOGS
    if row.get("principal_kind") == "root" and row.get("actor_is_service") != "true":
        return Gravity.ROOT
    if requirement == "10.2.1.5":
        return Gravity.CREDENTIALS
    return _OF_TOUCH[touch_of(row)]
