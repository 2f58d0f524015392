"""Start the service for a person: `python -m tests.local_athena [--logs FOLDER]`."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from pathlib import Path

from .errors import LocalAthenaUnavailable
from .service import LocalAthena


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C, having printed what a shell needs to point dbt and the AWS CLI here."""
    parser = argparse.ArgumentParser(prog="python -m tests.local_athena", description=__doc__)
    parser.add_argument("--logs", type=Path, metavar="FOLDER", help="a folder that holds AWSLogs/, to be uploaded")
    parser.add_argument("--prefix", default="", help="the S3 prefix above AWSLogs/")
    options = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    print("# Trino starts, which takes half a minute; the first time it is fetched before that", flush=True)
    try:
        with LocalAthena() as service:
            place = service.new_place("local")
            logs = f"{place.logs}/{options.prefix.strip('/')}".rstrip("/")
            variables = service.environment | place.environment | {"PCI_LOG_REVIEW_LOGS": logs}
            for name, value in variables.items():
                print(f"export {name}={shlex.quote(value)}")
            if options.logs:
                files = service.upload(options.logs, place.log_bucket, options.prefix)
                print(f"# {files} files of {options.logs} are in {logs}")
            print("# Then, in another shell with these:")
            print("#   pci-log-review run --target athena --settings DIR --evidence DIR --run-date DAY")
            print("# (for sample_logs without --settings, and the day is 2026-03-10)")
            print("# Ctrl-C stops the service; nothing is kept.", flush=True)
            stop.wait()
    except LocalAthenaUnavailable as reason:
        print(f"local Athena can't start: {reason}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
