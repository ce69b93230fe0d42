"""One customer moves from the plan to the closing report, and every page on the way is a stop.

What the pages show is what the handlers found: Ramp and the ERP are in this process. At each step
the walk also stands still in the statuses that this customer did not happen to meet.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from django.db.models import F
from django.utils import timezone

from connections.models import Connection
from migrations_tool import services, sharing
from migrations_tool.cutover import acts, canaries, codings
from migrations_tool.handlers import handler_of
from migrations_tool.models import (
    BillInFlight,
    ConnectionMigration,
    DrainReading,
    OldRecord,
    ShareLink,
    StepRecord,
    StepRun,
)
from migrations_tool.proofs import newest
from migrations_tool.rehearsal.reporting import newest_report
from migrations_tool.rules.services import Written, add
from migrations_tool.rules.ticking import tick as tick_rule
from migrations_tool.steps import NOT_NEEDED, Act, Path, Step
from migrations_tool.wizard import Light, Status
from syncing.models import SyncItem
from tests.factories import ConnectionFactory, UserFactory
from tests.journeys.migrating import People
from tests.journeys.wizard_desk import follow_up, let_days_pass
from tests.migrations_tool.world import World, migrating

DOING: Mapping[Step, tuple[Act, int, int, str]] = {
    Step.PLAN: (Act.CHECK, 0, 0, ""),
    Step.ACCESS: (Act.CHECK, 7, 19, "Asking both sides"),
    Step.INVENTORY: (Act.APPLY, 12_400, 0, "Bills"),
    Step.RULES: (Act.CHECK, 0, 0, ""),
    Step.BACKUP: (Act.APPLY, 41_200, 98_714, "Codings: transactions"),
    Step.DRAIN: (Act.CHECK, 3, 7, "Counting what is ready: transfers"),
    Step.CONNECTION: (Act.APPLY, 0, 1, "Creating the connection"),
    Step.MAPPING: (Act.APPLY, 310, 1_240, "Reading the old vendors."),
    Step.PRELOAD: (Act.APPLY, 1_500, 12_412, "Vendors, 3 of 25 batches"),
    Step.SETTINGS: (Act.APPLY, 2, 5, "Tax rates"),
    Step.REHEARSAL: (Act.APPLY, 64, 118, "Rehearsing: bill payment"),
    Step.FLIP: (Act.APPLY, 0, 1, "Marking our connection ready"),
    Step.CUTOVER: (Act.APPLY, 2, 7, "Comparing codings"),
    Step.HYPERCARE: (Act.CHECK, 0, 0, ""),
}
"""What each step's worker is at while it runs, with how many of how many it has done."""
STALE: Mapping[Step, str] = {
    Step.ACCESS: "Both sides were asked within the last 7 days: It was checked too long ago.",
    Step.BACKUP: "The backup is newer than the chart: The chart was changed after it was made.",
    Step.MAPPING: "All that was used in 12 months is mapped or parked: 2 vendors are new since.",
    Step.PRELOAD: "The same in the ERP, here and in Ramp: 3 records differ.",
    Step.REHEARSAL: "Both have signed this report: The mapping was changed after the signatures.",
}
LONG_AGO = "It was checked too long ago to rely on."
CLOSED: Mapping[Step, tuple[str, str]] = {
    Step.BACKUP: (
        "The chart was changed on 16 November 2026, after version 1 was made.",
        "Make another version.",
    ),
    Step.CONNECTION: (
        "Ramp answered with QuickBooks Online, the connection that is active.",
        "Nothing was changed. Ask Ramp to allow a second connection, then create it again.",
    ),
    Step.PRELOAD: (
        "3 records differ: 1 GL account and 2 vendors.",
        "Look at each below, then preload again.",
    ),
    Step.SETTINGS: ("Ramp shows vendor credits off, and it is to be on.", "Apply this step."),
    Step.FLIP: (
        "Xero is active now, not “rampbridge”.",
        "Ask Cora Winter to open Switch Providers again.",
    ),
    Step.HYPERCARE: (
        "Errors: 3 of 41 wait for somebody; at most 2 % may.",
        "Mend what is named below; the days begin anew.",
    ),
}
"""What holds up the steps whose conditions this customer meets at once."""
WISHES: Mapping[Step, str] = {
    Step.DRAIN: "Please press Sync in Ramp, and mark what cannot be synced as not ready.",
    Step.MAPPING: "Which department takes the place of the class Operations?",
}


@dataclass(frozen=True)
class Stop:
    """One page in one state. Its name says which."""

    name: str
    path: str
    is_the_customers: bool = False


class Walk:
    """`stops` is walked once, from its first to its last stop; between two stops time goes on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.people = People(world)

    # -- where one stands

    def at(self, step: Step, what: str = "", query: str = "") -> Stop:
        """The page of a step as it is now."""
        status = self.world.status(step).replace("_", "-")
        name = f"walk-{list(Step).index(step):02}-{step}-{status}{what and '-'}{what}"
        return Stop(name, f"/migrations/{self.world.migration.pk}/{step}/{query}")

    def page(self, name: str, path: str) -> Stop:
        """A page below the migration."""
        return Stop(f"walk-{name}", f"/migrations/{self.world.migration.pk}/{path}")

    def link(self, name: str, purpose: ShareLink.Purpose) -> Stop:
        token = sharing.make(self.world.migration, purpose, actor="ines", now=timezone.now())
        return Stop(f"walk-customer-{name}", f"/m/{token}/", is_the_customers=True)

    def _record(self, step: Step, **changes: Any) -> None:
        found = StepRecord.objects.filter(migration=self.world.migration, step=step)
        found.update(version=F("version") + 1, **changes)

    # -- statuses that do not come by themselves

    def runs(self, step: Step) -> Iterator[Stop]:
        """A worker is at it; it has failed; and then nothing of that happened."""
        act, done, of, doing = DOING[step]
        now = timezone.now()
        run = StepRun.objects.create(
            migration=self.world.migration,
            step=step,
            act=act,
            state=StepRun.State.RUNNING,
            actor="omar.haddad",
            asked_at=now,  # an open run is always the newest
            due_at=now + timedelta(hours=1),
            tries=1,
            done_items=done,
            all_items=of or None,
            doing=doing,
        )
        yield self.at(step, "running")
        run.state, run.finished_at = StepRun.State.FAILED, now
        run.title = "Ramp does not let us read bills: the scope bills:read is missing."
        run.fix = "Grant it on the app's page in Ramp, under Settings, Developer. Then try again."
        run.save()
        yield self.at(step, "failed")
        run.delete()

    def other_statuses(self, step: Step) -> Iterator[Stop]:
        """Those in which the step is not now, with what its page shows now."""
        migration = self.world.migration
        record = StepRecord.objects.get(migration=migration, step=step)
        since = timezone.now() - timedelta(hours=29)
        met = self.world.status(step)
        for status in (Status.IN_PROGRESS, Status.WAITING_FOR_RAMP):
            if status is not met:
                self._record(step, status=status, status_since=since, looked_at=since)
                yield self.at(step)
        if step in CLOSED:
            with self._closed(step):
                self._record(step, status=Status.BLOCKED)
                yield self.at(step)
        services.ask_customer(
            migration,
            step,
            WISHES.get(step, "Please have an admin of your Ramp account join us on Tuesday."),
            version=self._version(step),
            actor="ines",
            now=timezone.now() - timedelta(hours=2),
        )
        yield self.at(step, "asked")
        done = {"done_at": since, "done_by": "ines", "status_since": since}
        self._record(step, status=Status.DONE, stale_because=STALE.get(step, LONG_AGO), **done)
        yield self.at(step)
        kept = ("status", "status_since", "looked_at", "done_at", "done_by", "stale_because")
        self._record(step, **{name: getattr(record, name) for name in kept})

    @contextmanager
    def _closed(self, step: Step) -> Iterator[None]:
        """One of its conditions is not met."""
        first, *others = self.world.gates(step).values()
        words, fix = CLOSED[step]
        red = replace(first, light=Light.RED, words=words, fix=fix)
        with patch.object(handler_of(step), "gates", lambda *_, **__: [red, *others]):
            yield

    def every_status(self, step: Step) -> Iterator[Stop]:
        yield from self.runs(step)
        yield from self.other_statuses(step)

    def complete(self, step: Step) -> Stop:
        run = self.world.do(step, Act.COMPLETE)
        assert self.world.status(step) is Status.DONE, f"{step}: {run.title} {run.fix}"
        return self.at(step)

    # -- the way

    def stops(self) -> Iterator[Stop]:
        for part in (
            self._plan,
            self._access,
            self._inventory,
            self._rules,
            self._backup,
            self._drain,
            self._connection,
            self._mapping,
            self._preload,
            self._settings,
            self._rehearsal,
            self._flip,
            self._cutover,
            self._hypercare,
        ):
            yield from part()

    def _plan(self) -> Iterator[Stop]:
        step = Step.PLAN
        for name in ("ines", "sam", "omar.haddad"):
            UserFactory.create(username=name, roles=["implementer"])
        self.world.connection.owner = "sam"
        self.world.connection.save(update_fields=["owner"])
        for one in Step:
            yield self.at(one)
        yield self.page("links-none", "links/")
        yield self.page("evidence-none", "plan/evidence/")
        self.world.do(step, Act.CHECK)
        yield self.at(step, "checked")
        self.people.plan()
        yield from self.every_status(step)
        services.assign(
            self.world.migration, step, "sam",
            version=StepRecord.objects.get(migration=self.world.migration, step=step).version,
            actor="ines",
        )  # fmt: skip
        yield self.complete(step)

    def _access(self) -> Iterator[Stop]:
        step, faults = Step.ACCESS, self.world.erp.faults
        faults.may_not, faults.login_of = {"pay bills"}, "Maya Okafor"
        self.world.do(step, Act.CHECK)
        yield self.at(step, "not-all-green")
        faults.may_not, faults.login_of = set(), ""
        self.world.do(step, Act.CHECK)
        yield from self.every_status(step)
        yield self.complete(step)

    def _inventory(self) -> Iterator[Stop]:
        step = Step.INVENTORY
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        yield from self._skipped(step)
        yield self.complete(step)

    def _skipped(self, step: Step) -> Iterator[Stop]:
        """Asked for, and agreed to by a second person; then as if not."""
        before = StepRecord.objects.filter(migration=self.world.migration, step=step).values()[0]
        waiver = services.ask_waiver(
            self.world.migration, step, "", "The controller says there is nothing.", actor="ines",
            now=timezone.now() - timedelta(hours=3),
        )  # fmt: skip
        yield self.at(step, "skip-asked")
        services.decide_waiver(waiver, grant=True, actor="sam", now=timezone.now())
        yield self.at(step)
        waiver.state = "lapsed"
        waiver.decided_by, waiver.decided_at = "sam", timezone.now()
        waiver.save()
        self._record(step, status=before["status"], status_since=before["status_since"])

    def _rules(self) -> Iterator[Stop]:
        step, migration, now = Step.RULES, self.world.migration, timezone.now()
        rule = Written("rule", "Meals over 50 USD", "Restaurants: 6300 Meals, Sales.", "ines")
        add(migration, rule, actor="ines", now=now)
        add(migration, Written("card_programme", "Field staff"), actor="ines", now=now)
        self.world.do(step, Act.CHECK)
        yield from self.every_status(step)
        yield from self._skipped(step)
        link = self.link("rules", ShareLink.Purpose.RULES)
        yield link
        self.people.confirm_rules()
        yield Stop("walk-customer-rules-confirmed", link.path, is_the_customers=True)
        yield self.complete(step)

    def _backup(self) -> Iterator[Stop]:
        step = Step.BACKUP
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        yield self.complete(step)
        yield self.page("evidence", "backup/evidence/")

    def _drain(self) -> Iterator[Stop]:
        step, world = Step.DRAIN, self.world
        world.do(step, Act.CHECK)
        yield from self.every_status(step)
        self.people.hold_bills()
        world.sync_old()
        world.do(step, Act.CHECK)
        yield self.at(step, "once-at-zero")
        readings = DrainReading.objects.filter(migration=world.migration)
        readings.update(at=F("at") - timedelta(minutes=16))
        yield self.complete(step)

    def _connection(self) -> Iterator[Stop]:
        step = Step.CONNECTION
        self.world.do(step, Act.PLAN)
        yield self.at(step, "planned")
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        yield self.page("connection-give-up", "connection/do/undo/")
        yield self.complete(step)

    def _mapping(self) -> Iterator[Stop]:
        step = Step.MAPPING
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        self.people.map_chart()
        yield self.complete(step)
        yield self.at(step, "all", "?state=all")
        yield self.page("mapping-charts", "mapping/charts/")
        yield self.page("mapping-file", "mapping/file/")
        record = OldRecord.objects.filter(migration=self.world.migration).earliest("pk")
        yield self.page("mapping-record", f"mapping/records/{record.pk}/")

    def _preload(self) -> Iterator[Stop]:
        step = Step.PRELOAD
        self.world.do(step, Act.PLAN)
        yield self.at(step, "planned")
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        yield self.complete(step)

    def _settings(self) -> Iterator[Stop]:
        step = Step.SETTINGS
        self.people.name_accounts()
        self.world.do(step, Act.PLAN)
        yield self.at(step, "planned")
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        yield self.complete(step)

    def _rehearsal(self) -> Iterator[Stop]:
        step = Step.REHEARSAL
        self.world.do(step, Act.APPLY)
        yield from self.every_status(step)
        self.people.explain()
        yield self.at(step, "explained")
        link = self.link("sign", ShareLink.Purpose.SIGN)
        yield link
        self.people.sign_as_implementer()
        yield self.at(step, "signed-by-one")
        self.people.sign_as_customer()
        yield Stop("walk-customer-signed", link.path, is_the_customers=True)
        yield self.complete(step)
        yield self.page("rehearsal-report", "rehearsal/report/")
        assert newest_report(self.world.migration)

    def _flip(self) -> Iterator[Stop]:
        step, world = Step.FLIP, self.world
        yield self.at(step, "before")
        yield self.page("flip-confirm", "flip/do/apply/")
        world.do(step, Act.APPLY)
        yield from self.every_status(step)
        link = self.link("follow", ShareLink.Purpose.FOLLOW)
        yield link
        yield self.page("links", "links/")
        yield self.page("abandon", "end/")
        ShareLink.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        yield Stop("walk-customer-expired", link.path, is_the_customers=True)
        ShareLink.objects.update(expires_at=timezone.now() + timedelta(days=9))
        world.flip()
        world.do(step, Act.CHECK)
        yield Stop("walk-customer-switched", link.path, is_the_customers=True)
        yield self.complete(step)
        yield self.page("go-back", "flip/do/undo/")
        self.followed = link

    def _cutover(self) -> Iterator[Stop]:
        step, world = Step.CUTOVER, self.world
        yield self.at(step, "before")
        for amount in ("61.00", "62.00"):
            world.business.create_transaction(
                amount, account_code="6200", merchant="Staples", ready=True
            )
        world.business.create_cashback("4.00")
        follow_up()
        world.do(step, Act.APPLY)
        follow_up()
        yield from self.every_status(step)
        self._look_at_suspects()
        world.do(step, Act.APPLY)
        follow_up()
        yield self.at(step, "canaries")
        self._tick_everything()
        yield self.at(step, "ticked")
        yield self.complete(step)

    def _look_at_suspects(self) -> None:
        migration = self.world.migration
        while (found := newest(migration, "cutover.duplicates")) and found.result["suspects"]:
            acts.dismiss(
                migration,
                key=found.result["suspects"][0]["key"],
                reason="The ledger has none of it.",
                version=self._version(Step.CUTOVER),
                actor="ines",
                now=timezone.now(),
            )

    def _tick_everything(self) -> None:
        migration, now = self.world.migration, timezone.now()
        said: dict[str, Any] = {"actor": "ines", "now": now}
        for canary in canaries.of(migration):
            canaries.tick(canary, version=self._version(Step.CUTOVER), **said)
        acts.acknowledge_codings(
            migration,
            checksum=codings.checksum(migration),
            version=self._version(Step.CUTOVER),
            **said,
        )
        for bill in BillInFlight.objects.filter(migration=migration):
            acts.tick_bill(bill, version=self._version(Step.CUTOVER), **said)
        for rule in migration.rules.all():
            tick_rule(rule, **said)

    def _version(self, step: Step) -> int:
        return StepRecord.objects.get(migration=self.world.migration, step=step).version

    def _hypercare(self) -> Iterator[Stop]:
        step, world = Step.HYPERCARE, self.world
        follow_up()
        # What let time pass for the worker's sake has moved posts to before the switch.
        SyncItem.objects.filter(posted_at__isnull=False).update(posted_at=timezone.now())
        world.do(step, Act.CHECK)
        yield from self.every_status(step)
        let_days_pass(world, world.migration.hypercare_days)
        yield self.at(step, "held")
        yield self.page("end", "end/")
        yield self.complete(step)
        yield self.page("closing-report", "hypercare/report/")
        yield Stop("walk-customer-over", self.followed.path, is_the_customers=True)


def walk() -> Iterator[Stop]:
    """From the plan to the closing report."""
    with migrating() as world:
        yield from Walk(world).stops()


def fresh() -> Iterator[Stop]:
    """A customer without an old connection: what is not needed, and the first steps."""
    connection: Connection = ConnectionFactory.create(slug="fresh", name="Verde Clinics")
    migration: ConnectionMigration = services.start(
        connection, path=Path.FRESH, actor="ines", now=timezone.now()
    )
    for step in (Step.PLAN, *sorted(NOT_NEEDED[Path.FRESH]), Step.HYPERCARE):
        yield Stop(f"walk-fresh-{step}", f"/migrations/{migration.pk}/{step}/")
