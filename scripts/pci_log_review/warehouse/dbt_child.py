"""dbt as the wrapper runs it: it ends when the wrapper does, however that ended.

A dbt that outlived its wrapper would go on writing tables while the next run begins.
"""

from __future__ import annotations

import functools
import os
import threading

import botocore.session
from dbt.cli.main import cli


def _end_with_parent() -> None:
    """Waits for the wrapper's end of standard input to close, which the kernel does for a process that was killed."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _read_service_models_once() -> None:
    """dbt-athena makes a client for nearly every call, and each of them would parse its service's model anew."""
    create_loader = functools.cache(botocore.session.create_loader)
    setattr(botocore.session, "create_loader", create_loader)  # noqa: B010  # the stubs do not have it


if __name__ == "__main__":
    _read_service_models_once()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cli()
