"""dbt as the wrapper runs it: it ends when the wrapper does, however that ended.

A dbt that outlived its wrapper would go on writing tables while the next run begins.
"""

from __future__ import annotations

import os
import threading

from dbt.cli.main import cli


def _end_with_parent() -> None:
    """Waits for the wrapper's end of standard input to close, which the kernel does for a process that was killed."""
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cli()
