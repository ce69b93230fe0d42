"""Give every pytest run a PostgreSQL of its own, before pytest-django reads the settings.

A plugin loaded by `-p`, because conftest.py comes too late for the settings. The processes of
pytest-xdist inherit `TEST_DATABASE_URL` and use the server of the process that started them.
Set `TEST_DATABASE_URL` by hand to test against another server.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from rampbridge.embedded import postgres
from tests.environment import TEST_ENVIRONMENT
from tests.plugins import migrated

RUNS = Path(__file__).resolve().parents[2] / "var" / "tests"
ROOM = pytest.StashKey[ExitStack]()
IS_OURS = "TEST_DATABASE_IS_OURS"
"""In the environment, for the processes of pytest-xdist."""


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    room = early_config.stash.setdefault(ROOM, ExitStack())
    os.environ.update(TEST_ENVIRONMENT)
    if "TEST_DATABASE_URL" not in os.environ:
        os.environ["TEST_DATABASE_URL"] = room.enter_context(postgres.running(_cluster(room))).url(
            "rampbridge"
        )
        os.environ[IS_OURS] = "1"
        room.enter_context(_migrating(os.environ["TEST_DATABASE_URL"]))
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave the databases to the end of their server. To drop them before would only fail where a
    thread of some test still holds a connection."""
    if IS_OURS in os.environ:
        config.option.reuse_db = True


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[ROOM].close()


def _cluster(room: ExitStack) -> postgres.Cluster:
    """A place for this run alone, removed at its end; what killed runs left goes now."""
    RUNS.mkdir(parents=True, exist_ok=True)
    remove_abandoned_runs()
    directory = Path(tempfile.mkdtemp(dir=RUNS, prefix="run-"))
    room.callback(shutil.rmtree, directory, ignore_errors=True)
    directory.chmod(0o711)  # the server may have to run as another user
    sockets = Path(tempfile.mkdtemp(prefix="rb-"))  # a socket's path must be shorter than 108 bytes
    room.callback(shutil.rmtree, sockets, ignore_errors=True)
    lock = room.enter_context((directory / "lock").open("w"))
    fcntl.flock(lock, fcntl.LOCK_EX)
    return postgres.Cluster(
        data=directory / "postgres", sockets=sockets, log=directory / "postgres.log", durable=False
    )


@contextmanager
def _migrating(server: str) -> Iterator[None]:
    """Begin with the migrations, if they are new, while tests are still being collected."""
    if migrated.dump().exists():
        yield
        return
    command = [sys.executable, "-m", migrated.__name__, server]
    process = subprocess.Popen(command, cwd=migrated.ROOT)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def remove_abandoned_runs() -> None:
    """Remove the files of runs that were killed. Those of running ones are locked."""
    for lock_file in RUNS.glob("run-*/lock"):
        with lock_file.open() as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(lock_file.parent, ignore_errors=True)
