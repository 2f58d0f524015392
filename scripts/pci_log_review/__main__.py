"""The command pci-log-review: the command line, whose imports take a second in which Ctrl-C may come as well."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs the command line."""
    try:
        from .cli import main as command_line

        command_line(prog_name="pci-log-review")
    except KeyboardInterrupt:
        print("pci-log-review: it was interrupted (Ctrl-C)", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
