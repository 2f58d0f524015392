"""Faults that a test switches on: refused API calls, missing permissions, cancelled queries."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from .errors import ApiError, not_authorized


@dataclass
class Faults:
    """What goes wrong at present; nothing, unless a test says so."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _refusals: dict[str, list[ApiError]] = field(default_factory=dict)
    _denied_glue: set[str] = field(default_factory=set)
    _cancelled: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    """How often each action of Athena and Glue was called."""
    refused: int = 0
    """How many calls were refused because of `throttle`."""

    def throttle(self, action: str, times: int = 1, code: str = "ThrottlingException") -> None:
        """Refuse the next calls of an action of Athena, such as StartQueryExecution, with 'Rate exceeded'."""
        with self._lock:
            self._refusals.setdefault(action, []).extend([ApiError(code, "Rate exceeded")] * times)

    def deny_glue(self, *actions: str) -> None:
        """Deny these actions of Glue to everybody, as a missing permission does."""
        with self._lock:
            self._denied_glue.update(actions)

    def cancel_statements(self, containing: str) -> None:
        """Cancel each statement that contains this text, as somebody in the console might."""
        with self._lock:
            self._cancelled.append(containing)

    def clear(self) -> None:
        """Back to a service without faults."""
        with self._lock:
            self._refusals.clear()
            self._denied_glue.clear()
            self._cancelled.clear()

    def check_athena(self, action: str) -> None:
        """Raise the ApiError that is due for this call, if one is."""
        with self._lock:
            self.calls[action] += 1
            waiting = self._refusals.get(action)
            if waiting:
                self.refused += 1
                raise waiting.pop()

    def check_glue(self, action: str, account: str, region: str) -> None:
        """Raise AccessDeniedException if the action is denied."""
        with self._lock:
            self.calls[action] += 1
            denied = action in self._denied_glue
        if denied:
            raise ApiError(
                "AccessDeniedException",
                not_authorized(account, f"glue:{action}", f"arn:aws:glue:{region}:{account}:catalog"),
            )

    def is_cancelled(self, statement: str) -> bool:
        """Whether a statement is one of those that a test wants cancelled."""
        with self._lock:
            return any(text in statement for text in self._cancelled)
