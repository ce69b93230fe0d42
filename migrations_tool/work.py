"""What a worker has in hand while it does one act on one step of a migration."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from connections import clients
from connections.erp.port import ErpAdapter
from connections.models import Connection
from connections.ramp.client import RampClient
from connections.ramp.rate_limit import Lane
from migrations_tool.models import ConnectionMigration, Evidence, StepRun, Watch
from migrations_tool.steps import Step
from rampbridge.lib import failpoints

LEASE = timedelta(minutes=2)


class LeaseLost(Exception):
    """Another worker has taken the run over; this one stops without a word."""


class NotNow(Exception):
    """Something else is at it for a moment. The run is tried again by itself; the message says what
    it waits for.
    """


@dataclass
class Work:
    """One act, its two sides, and where to write what was seen.

    Everything an act writes it must be able to write again: a worker may die anywhere, and the
    next one begins with the same run and its `place`.
    """

    migration: ConnectionMigration
    step: Step
    actor: str
    clock: Callable[[], datetime]
    run: StepRun | None = None
    """None for a watch, which nobody asked for."""
    lease: uuid.UUID | None = None
    trace_ids: list[str] = field(default_factory=list)
    watch: Watch | None = None
    """What this is, if nobody asked for it: held by `lease` as a run is."""

    @property
    def connection(self) -> Connection:
        return self.migration.connection

    @cached_property
    def ramp(self) -> RampClient:
        """:raises secrets.NoCredential: if the customer's are not known"""
        return clients.ramp_client(self.connection, lane=Lane.CHART)

    @cached_property
    def erp(self) -> ErpAdapter:
        """:raises secrets.NoCredential: if the customer's are not known"""
        return clients.erp_adapter(self.connection)

    @property
    def place(self) -> dict[str, Any]:
        """Where the act is, for whoever goes on with it: kept by the next `progress`."""
        return self.run.place if self.run else {}

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the person chose for this act."""
        return self.run.settings if self.run else {}

    def say(self, title: str, fix: str = "") -> None:
        """How the act ended, in a sentence for the page; and what to do, if something is left."""
        if self.run is not None:
            self.run.title, self.run.fix = title, fix

    def keep(self) -> None:
        """Hold on to the run for two more minutes. Call it before each call to the outside.

        :raises LeaseLost: if another worker has it
        """
        failpoints.hit("in_step_run")
        self.hold()

    def hold(self) -> None:
        """Hold on as `keep` does, in the transaction of a write: until its end nobody else can take
        the run, so that what is written is written by whoever has it.

        :raises LeaseLost: if another worker has it
        """
        if self.run is not None:
            self._hold_run()
        elif self.watch is not None:
            held = Watch.objects.filter(pk=self.watch.pk, lease=self.lease)
            if not held.update(due_at=Greatest(F("due_at"), Now() + LEASE)):
                raise LeaseLost

    def _hold_run(self, **changes: Any) -> None:
        assert self.run is not None, "a run is held"
        held = StepRun.objects.filter(pk=self.run.pk, lease=self.lease, state=StepRun.State.RUNNING)
        if not held.update(lease_until=Now() + LEASE, due_at=Now() + LEASE, **changes):
            raise LeaseLost

    def progress(self, done: int, of: int | None, doing: str = "") -> None:
        """Say how far it is, and keep `place`. Survives the page, the worker and a deploy.

        :raises LeaseLost: if another worker has the run
        """
        if self.run is None:
            return
        self.run.done_items, self.run.all_items, self.run.doing = done, of, doing[:200]
        self._hold_run(done_items=done, all_items=of, doing=self.run.doing, place=self.run.place)

    @transaction.atomic
    def evidence(
        self,
        code: str,
        text: str,
        *,
        is_good: bool,
        inputs: Mapping[str, Any] | None = None,
        result: Mapping[str, Any] | None = None,
        counts: Mapping[str, Any] | None = None,
        checksum: str = "",
        good_for: timedelta | None = None,
    ) -> Evidence:
        """Keep what was seen, for good.

        :param good_for: how long it is worth something; None for ever
        :raises LeaseLost: if another worker has the run: what this one saw is older than it seems
        """
        self.hold()
        now = self.clock()
        return Evidence.objects.create(
            migration=self.migration,
            step=self.step,
            code=code,
            at=now,
            by=self.actor,
            is_good=is_good,
            text=text[:500],
            inputs=inputs or {},
            result=result or {},
            counts=counts or {},
            checksum=checksum,
            trace_ids=self.trace_ids[-20:],
            app_version=settings.RELEASE[:60],
            stale_at=now + good_for if good_for else None,
        )
