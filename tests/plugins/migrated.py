"""A database with all migrations applied, for each process of a run: migrated once, then restored.

Applying every migration takes the better part of half a minute, restoring what came of it takes
none. The dump is kept under a digest of all that migrations are made of. Django still runs
`migrate` on what is restored, so it finds what is missing, and its signals come as always.

As a program it makes the dump, on a server: `python -m tests.plugins.migrated "host=... user=..."`.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from rampbridge.embedded.postgres import binaries

ROOT = Path(__file__).resolve().parents[2]
DUMPS = ROOT / "var" / "cache" / "migrated"
KEPT = 4
"""Dumps of earlier states: whoever goes back and forth between two has both."""

_MIGRATE = """
import gc, runpy, sys
gc.set_threshold(100_000, 20, 1000)  # a third of the time went into looking for garbage
sys.argv = [*sys.argv[1:], "-v0"]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def restore_into(server: str, database: str) -> None:
    """A fresh database of this name on a server; made the long way if there is no dump.

    `server` is a libpq string of a superuser.
    """
    make_dump(server)
    _create(server, database)
    url = make_conninfo(server, dbname=database)
    _tool("pg_restore", "--single-transaction", "--no-owner", "-d", url, str(dump()))


def make_dump(server: str) -> None:
    """Migrate an empty database and keep what came of it, unless that was done before."""
    with _one_at_a_time():
        wanted = dump()
        if wanted.exists():
            return
        building = "rampbridge_migrated"
        _create(server, building)
        url = make_conninfo(server, dbname=building)
        environment = {**os.environ, "DATABASE_URL": url}
        _run([sys.executable, "-c", _MIGRATE, str(ROOT / "manage.py"), "migrate"], environment)
        draft = wanted.with_suffix(".new")
        _tool("pg_dump", "-Fc", "-f", str(draft), url)
        draft.rename(wanted)
        _forget_older()


def dump() -> Path:
    """Where the dump of the present migrations is kept."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return DUMPS / f"{digest.hexdigest()[:16]}.dump"


def _sources() -> Iterator[Path]:
    """Migrations, the models that some of them read, and which apps there are, in what version."""
    yield from (ROOT / "requirements.lock", ROOT / "rampbridge" / "settings.py")
    for app in ("connections", "migrations_tool", "rampbridge", "syncing"):
        for directory in ("migrations", "models"):
            yield from sorted((ROOT / app / directory).rglob("*.py"))


def _forget_older() -> None:
    dumps = sorted(DUMPS.glob("*.dump"), key=lambda path: path.stat().st_mtime)
    for path in dumps[:-KEPT]:
        path.unlink(missing_ok=True)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    DUMPS.mkdir(parents=True, exist_ok=True)
    with (DUMPS / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _create(server: str, database: str) -> None:
    with psycopg.connect(server, dbname="postgres", autocommit=True) as db:
        name = sql.Identifier(database)
        db.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        db.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(name))


def _tool(program: str, *arguments: str) -> None:
    _run([str(binaries() / program), *arguments], {**os.environ})


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    make_dump(sys.argv[1])
