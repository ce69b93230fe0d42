"""Where production code meets the simulation: commits, statements, failpoints, clocks and dice.

Nothing in the program knows of it. What is put in place of something else here is put back at the
end of `installed`.
"""

import random
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import psycopg
from django.contrib.postgres.functions import TransactionNow
from django.db import connection as database
from django.db.backends.postgresql.base import DatabaseWrapper, ServerBindingCursor
from django.db.backends.utils import CursorWrapper
from psycopg._preparing import PrepareManager

from connections.ramp.rate_limit import Lane
from rampbridge.lib import failpoints
from tests.simulation.seeded.clock import Clock
from tests.simulation.seeded.processes import me
from tests.simulation.seeded.scheduler import Scheduler

_WORTH_A_PLAN = 300
"""Characters of a statement from which planning it takes longer than running it."""
_PlannedCursor: Any = ServerBindingCursor
_IDLE = psycopg.pq.TransactionStatus.IDLE
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")


class Seams:
    """What production code runs into. One for all runs of this process, one run at a time."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.scheduler: Scheduler | None = None
        self.dice = random.Random(0)
        self.jitter = random.Random(0)
        """What production spreads its load by. Each run seeds it anew, or it would go on with what
        the run before has left."""
        self.statements = 0
        self._plannable: dict[tuple[str, tuple[type, ...]], bool] = {}
        """Whether statements with parameters of these types can be planned once and for all."""

    def now(self) -> datetime:
        """What a process takes for the time; its clock may be wrong."""
        process = me()
        return self.clock.now() + timedelta(seconds=process.skew if process else 0)

    def monotonic(self) -> float:
        return self.clock.seconds

    def sleep(self, seconds: float) -> None:
        if self.scheduler is not None:
            self.scheduler.wait(seconds)

    def uuid4(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)

    def pass_by(self, name: str) -> None:
        """As `failpoints` asks of what it is armed with."""
        if self.scheduler is not None:
            self.scheduler.pause(name)

    @contextmanager
    def installed(self) -> Iterator[None]:
        with ExitStack() as undo:
            for target, name, new in self._replaced():
                undo.enter_context(patch.object(target, name, new))
            yield

    def _replaced(self) -> Iterator[tuple[Any, str, Any]]:
        from django.utils import timezone

        from connections import egress
        from connections.mirror import schedule
        from connections.models import MirrorRun, UploadBatch
        from migrations_tool.models import StepRun
        from syncing import tasks

        yield TransactionNow, "template", "now()"  # CURRENT_TIMESTAMP cannot be hidden
        yield timezone, "now", self.now
        yield time, "monotonic", self.monotonic
        yield time, "sleep", self.sleep
        yield uuid, "uuid4", self.uuid4
        yield tasks, "random", self.jitter
        yield schedule, "random", self.jitter
        for model in (MirrorRun, UploadBatch, StepRun):
            yield model._meta.get_field("id"), "_get_default", self.uuid4
        yield failpoints, "_armed", self
        yield egress, "tokens", lambda _: _NoLimit()
        yield PrepareManager, "prepared_max", 1000
        yield PrepareManager, "clear", lambda _: False  # plans outlive what is rolled back
        wrapper: Any = DatabaseWrapper
        yield wrapper, "_commit", self._commit(wrapper._commit)
        autocommit = wrapper._set_autocommit
        yield wrapper, "_set_autocommit", self._set_autocommit(autocommit)
        cursor: Any = CursorWrapper
        execute = cursor._execute_with_wrappers
        yield cursor, "_execute_with_wrappers", self._execute(execute)

    def _commit(self, commit: Callable[[Any], None]) -> Callable[[Any], None]:
        def paused(wrapper: Any) -> None:
            scheduler = self.scheduler
            if me() is None or scheduler is None:
                commit(wrapper)
                return
            try:
                scheduler.pause("before_commit")
            except BaseException:
                wrapper.connection.rollback()
                raise
            is_begun = wrapper.connection.pgconn.transaction_status != _IDLE
            commit(wrapper)
            wrapper.told_time = wrapper.began_at if is_begun else None
            scheduler.pause("after_commit")

        return paused

    def _set_autocommit(
        self, set_autocommit: Callable[[Any, bool], None]
    ) -> Callable[[Any, bool], None]:
        def told(wrapper: Any, autocommit: bool) -> None:
            set_autocommit(wrapper, autocommit)
            if process := me():
                process.is_in_transaction = not autocommit

        return told

    def _execute(self, execute: Callable[..., Any]) -> Callable[..., Any]:
        def paused(cursor: Any, sql: Any, params: Any, many: bool, executor: Any) -> Any:
            process, scheduler, wrapper = me(), self.scheduler, cursor.db
            self.statements += 1
            if not wrapper.in_atomic_block:
                self._tell_time(wrapper)
            elif wrapper.connection.pgconn.transaction_status == _IDLE:
                self._begin(wrapper)
            if process is None or scheduler is None:
                return execute(cursor, sql, params, many, executor)

            def run() -> Any:
                if many or not params or len(sql) < _WORTH_A_PLAN:
                    return execute(cursor, sql, params, many, executor)
                return self._with_plan(execute, cursor, sql, params, executor)

            scheduler.check_alive(process)
            commits = not wrapper.in_atomic_block and _WRITES.search(str(sql)) is not None
            if commits:
                scheduler.pause("before_commit")
                self._tell_time(wrapper)
            result = scheduler.statement(process, run)
            if commits:
                scheduler.on_commit()
                scheduler.pause("after_commit")
            return result

        return paused

    def _with_plan(
        self, execute: Callable[..., Any], cursor: Any, sql: str, params: Any, executor: Any
    ) -> Any:
        """Run a statement with a plan that the session keeps: most of its time is planning.

        Not every statement can have one, for its parameters must tell their types. That is tried
        once for each, behind a savepoint.
        """
        values = params.values() if isinstance(params, dict) else params
        kind = (sql, tuple(map(type, values)))
        if self._plannable.get(kind, True) is False:
            return execute(cursor, sql, params, False, executor)
        raw, plain = cursor.db.connection, cursor.cursor
        planned = cursor.cursor = _PlannedCursor(raw)
        if kind in self._plannable:
            return planned.execute(sql, params, prepare=True)
        is_within = cursor.db.in_atomic_block
        if is_within:
            raw.pgconn.exec_(b"SAVEPOINT planned")
        try:
            result = planned.execute(sql, params, prepare=True)
        except psycopg.errors.ProgrammingError:
            planned.close()
            self._plannable[kind] = False
            cursor.cursor = plain
            if is_within:
                raw.pgconn.exec_(b"ROLLBACK TO planned")
            return execute(cursor, sql, params, False, executor)
        self._plannable[kind] = True
        if is_within:
            raw.pgconn.exec_(b"RELEASE planned")
        return result

    def _begin(self, wrapper: Any) -> None:
        """Begin a transaction, at this time: it stands still until the end."""
        wrapper.connection.pgconn.exec_(self.clock.statement() + b"; BEGIN")
        # Rolled back, the session would have its earlier time again.
        wrapper.told_time, wrapper.began_at = None, self.clock.seconds

    def _tell_time(self, wrapper: Any) -> None:
        wrapper.ensure_connection()
        if getattr(wrapper, "told_time", None) != self.clock.seconds:
            wrapper.told_time = self.clock.seconds
            wrapper.connection.pgconn.exec_(self.clock.statement())


class _NoLimit:
    """A `TokenSource` that gives leave at once: `network` counts what is sent."""

    def take(self, lane: Lane) -> float:
        return 0.0

    def freeze(self, seconds: float) -> None:
        """Nobody waits."""


class DjangoSessions:
    """See `scheduler.Sessions`."""

    def open(self) -> int:
        database.ensure_connection()
        return int(database.connection.info.backend_pid)

    def end(self) -> None:
        """Roll back and unlock, which is all that the end of a session means here."""
        raw: Any = database.connection
        if raw.pgconn.transaction_status:
            raw.rollback()
        database.run_on_commit = []
        raw.pgconn.exec_(b"SELECT pg_catalog.pg_advisory_unlock_all()")
