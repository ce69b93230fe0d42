"""A PostgreSQL of our own that can be stopped hard, and fall back to what it was earlier."""

import os
import shutil
import signal
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from rampbridge.embedded import postgres
from rampbridge.embedded.processes import is_alive


class Power:
    """The server, as durable as a real one; it runs as long as the block."""

    def __init__(self, root: Path) -> None:
        self._cluster = postgres.Cluster(root / "data", root / "s", root / "postgres.log")
        self._copy = root / "earlier"
        self._running = ExitStack()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    @property
    def url(self) -> str:
        """A libpq string of a superuser."""
        return self._cluster.url("postgres")

    def fail(self) -> None:
        """Stop in the middle of everything, and start again: what was committed is there."""
        self._stop_hard()
        shutil.rmtree(self._copy, ignore_errors=True)
        shutil.copytree(self._cluster.data, self._copy, symlinks=True)
        self._copy.chmod(0o700)
        self._start()

    def fall_back(self) -> None:
        """Go on as a server that knows nothing since the last failure: a replica that lagged, or
        what was restored. Like these it begins a timeline of its own (faults I5, I10)."""
        self._stop_hard()
        shutil.rmtree(self._cluster.data)
        shutil.copytree(self._copy, self._cluster.data, symlinks=True)
        self._cluster.data.chmod(0o700)
        (self._cluster.data / "standby.signal").touch()
        self._start()
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute("SELECT pg_promote()")

    def _start(self) -> None:
        self._running.enter_context(postgres.running(self._cluster))

    def _stop_hard(self) -> None:
        pid = postgres.running_pid(self._cluster)
        assert pid is not None, "the server has ended by itself"
        os.kill(pid, signal.SIGQUIT)  # "immediate": nothing is written any more
        while is_alive(pid):
            time.sleep(0.01)
        self._running.close()
