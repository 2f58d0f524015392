"""Trino, the engine that executes the queries: fetched once by Maven, started and stopped here."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from .errors import LocalAthenaUnavailable

TRINO_VERSION = "476"
MINIMUM_JAVA = 24
CATALOG = "awsdatacatalog"
# The files of this version, by their SHA-256: Maven itself checks no more than that nothing was lost on the way
SERVER_SHA256 = "0f388f9967c177ae70a47c099082fc95387f0c3cb96d8000d1d41fc3a5223158"
HIVE_SHA256 = "611bacdb07d9f3cf7b9d47f97ecc76fa2e7ff8bfe8a9728c3d06adc1bfb8662e"
SERVER_ARTIFACT = f"io.trino:trino-server-core:{TRINO_VERSION}:tar.gz"
HIVE_ARTIFACT = f"io.trino:trino-hive:{TRINO_VERSION}:zip"

# The shell reads from a pipe of ours. When this process dies, however it dies, the pipe closes and Java goes, too.
_WATCHDOG = 'exec 3<&0; "$@" </dev/null & child=$!; (cat <&3 >/dev/null; kill $child 2>/dev/null) & wait $child'

_JVM_OPTIONS = (
    "-Xms2G",
    "-Xmx2G",
    "-Xmn1200M",  # a statement's plan is garbage soon; with little room for it, a sixth of the time went to collecting
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    "-XX:-UsePerfData",
    "-Xshare:auto",
    "--enable-native-access=ALL-UNNAMED",
    "-Djdk.attach.allowAttachSelf=true",
    "-Djol.skipDynamicAttach=true",
    "-Dfile.encoding=UTF-8",
)

# What has ended is forgotten after ten seconds instead of fifteen minutes: Trino looks through all of it every second.
_SERVER_CONFIG = """\
coordinator=true
node-scheduler.include-coordinator=true
task.concurrency=1
task.max-writer-count=1
join-distribution-type=BROADCAST
optimizer.join-reordering-strategy=NONE
enable-dynamic-filtering=false
redistribute-writes=false
http-server.http.port={port}
discovery.uri=http://127.0.0.1:{port}
node.internal-address=127.0.0.1
query.max-memory=800MB
query.max-memory-per-node=800MB
memory.heap-headroom-per-node=400MB
query.max-length=10000000
query.min-expire-age=10s
query.max-history=5
task.info.max-age=10s
catalog.management=static
catalog.config-dir={etc}/catalog
plugin.dir={plugins}
"""

_CATALOG_CONFIG = """\
connector.name=hive
hive.metastore=glue
hive.metastore.glue.region={region}
hive.metastore.glue.endpoint-url={endpoint}
hive.metastore.glue.aws-access-key={access_key}
hive.metastore.glue.aws-secret-key={secret_key}
hive.metastore.glue.catalogid={account}
fs.native-s3.enabled=true
s3.endpoint={endpoint}
s3.region={region}
s3.path-style-access=true
s3.aws-access-key={access_key}
s3.aws-secret-key={secret_key}
hive.non-managed-table-writes-enabled=true
hive.non-managed-table-creates-enabled=true
hive.hive-views.enabled=true
hive.storage-format=PARQUET
hive.recursive-directories=true
hive.table-statistics-enabled=false
hive.collect-column-statistics-on-write=false
parquet.writer.validation-percentage=0
hive.max-partitions-per-scan=1000000
hive.max-partitions-for-eager-load=1000000
"""


@dataclass(frozen=True)
class AwsAccess:
    """How Trino reaches the AWS services that are imitated here."""

    endpoint: str
    region: str
    account: str
    access_key: str
    secret_key: str


def cache_folder() -> Path:
    """Where Trino is kept between runs: outside the clone, so that a clean checkout costs no download."""
    base = os.environ.get("PCI_LOG_REVIEW_CACHE")
    return (Path(base) if base else Path.home() / ".cache" / "pci-log-review") / f"trino-{TRINO_VERSION}"


def find_java() -> Path:
    """The first Java of at least version 24: JAVA_HOME, then the usual folders, then the PATH."""
    for home in _java_homes():
        release, java = home / "release", home / "bin" / "java"
        if not (release.is_file() and java.is_file()):
            continue
        match = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
        if match and int(match.group(1)) >= MINIMUM_JAVA:
            return java
    raise LocalAthenaUnavailable(
        f"no Java {MINIMUM_JAVA} or newer found (JAVA_HOME, /usr/lib/jvm, PATH): "
        f"Trino {TRINO_VERSION} needs one, for example Temurin 25"
    )


def _java_homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    yield from sorted(Path("/usr/lib/jvm").glob("*"), reverse=True)
    yield from sorted(Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home"), reverse=True)
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent


def install() -> Path:
    """Return the folder with `server/lib` and `plugin/hive`, fetched by Maven if it is not there yet."""
    folder = cache_folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Everything happens in a folder beside it; the rename makes it appear whole or not at all.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as scratch:
        work, ready = Path(scratch), Path(scratch) / "ready"
        _unpack_server(_checked(_fetch(SERVER_ARTIFACT, work), SERVER_SHA256), ready / "server")
        _unpack_plugin(_checked(_fetch(HIVE_ARTIFACT, work), HIVE_SHA256), ready / "plugin" / "hive")
        try:
            ready.rename(folder)
        except OSError:
            if not folder.is_dir():  # otherwise another process was quicker, and its copy is as good
                raise
    return folder


def _fetch(artifact: str, to: Path) -> Path:
    maven = shutil.which("mvn")
    if maven is None:
        raise LocalAthenaUnavailable(f"Maven (mvn) is not on the PATH: it fetches Trino {TRINO_VERSION} once, 450 MB")
    before = set(to.iterdir())
    command = [maven, "-q", "-B", "dependency:get", "dependency:copy", "-Dtransitive=false"]
    command += [f"-Dartifact={artifact}", f"-DoutputDirectory={to}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = (done.stdout + done.stderr).strip().splitlines() or ["no output"]
        raise LocalAthenaUnavailable(f"Maven could not fetch {artifact}: {lines[0][:300]}")
    return (set(to.iterdir()) - before).pop()


def _checked(archive: Path, sha256: str) -> Path:
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256:
        raise LocalAthenaUnavailable(f"{archive.name} is not the file that is expected: its SHA-256 is {found}")
    return archive


def _unpack_server(archive: Path, to: Path) -> None:
    with tarfile.open(archive) as tar:
        # Only the engine: each bundled plugin would cost start-up time and is not used.
        members = [m for m in tar.getmembers() if len(m.name.split("/")) > 1 and m.name.split("/")[1] == "lib"]
        for member in members:
            member.name = member.name.split("/", 1)[1]
        tar.extractall(to, members=members, filter="tar")


def _unpack_plugin(archive: Path, to: Path) -> None:
    with zipfile.ZipFile(archive) as plugin:
        to.mkdir(parents=True)
        for name in plugin.namelist():
            if not name.endswith("/"):
                (to / Path(name).name).write_bytes(plugin.read(name))


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TrinoServer:
    """One Trino process with one Hive catalog over Glue and S3."""

    def __init__(self, aws: AwsAccess, run_folder: Path) -> None:
        self._aws = aws
        self._run_folder = run_folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self._port}"
        self.log_file = run_folder / "trino.log"

    def start(self) -> None:
        """Start the process; it is not ready before `wait_until_ready` returns."""
        java, installed = find_java(), install()
        self._write_config(installed)
        etc = self._run_folder / "etc"
        command = [
            str(java),
            *_JVM_OPTIONS,
            "-cp",
            str(installed / "server" / "lib" / "*"),
            f"-Dconfig={etc}/config.properties",
            f"-Dlog.levels-file={etc}/log.properties",
            "-Dnode.environment=test",
            "-Dnode.id=local-athena",
            f"-Dnode.data-dir={self._run_folder}/data",
            "io.trino.server.TrinoServer",
        ]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _WATCHDOG, "trino", *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self._run_folder,
                start_new_session=True,  # Ctrl-C goes to us alone; we then stop Trino in order
            )

    def _write_config(self, installed: Path) -> None:
        etc = self._run_folder / "etc"
        (etc / "catalog").mkdir(parents=True, exist_ok=True)
        (self._run_folder / "data").mkdir(exist_ok=True)
        config = _SERVER_CONFIG.format(port=self._port, etc=etc, plugins=installed / "plugin")
        (etc / "config.properties").write_text(config, encoding="utf-8")
        (etc / "log.properties").write_text("io.trino=INFO\n", encoding="utf-8")
        catalog = _CATALOG_CONFIG.format(
            endpoint=self._aws.endpoint,
            region=self._aws.region,
            account=self._aws.account,
            access_key=self._aws.access_key,
            secret_key=self._aws.secret_key,
        )
        (etc / "catalog" / f"{CATALOG}.properties").write_text(catalog, encoding="utf-8")

    def wait_until_ready(self, seconds: float = 180) -> None:
        """Return when Trino answers queries; raise with the end of its log when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/v1/info", timeout=5).json().get("starting") is False:
                    return
            except (requests.RequestException, ValueError):
                pass
            time.sleep(0.2)
        self.stop()
        tail = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        raise LocalAthenaUnavailable("Trino did not start; the end of its log:\n" + "\n".join(tail))

    def stop(self) -> None:
        """End the process and wait for it; harmless when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()  # the watchdog sends the signal
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
