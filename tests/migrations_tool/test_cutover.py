"""The cutover check: one object goes, a person looks, and nothing is booked twice."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from connections.erp.records import Ref
from connections.ramp.bodies import GLAccountUpload
from migrations_tool import services
from migrations_tool.cutover import acts, canaries, codings, conditions, duplicates
from migrations_tool.cutover.handler import CutoverHandler
from migrations_tool.flip.switching import HELD_BACK
from migrations_tool.models import (
    Backup,
    CanaryObject,
    CodingComparison,
    ConnectionMigration,
    FormerCoding,
    OldRecord,
    StepRecord,
)
from migrations_tool.old_chart.translation import Goal, Key, Kind, State, Translation
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Light, Refused
from migrations_tool.work import Work
from syncing import pauses
from syncing.engine import post_canary, post_due_items
from syncing.models import Pause, SyncItem
from tests.factories import SyncItemFactory
from tests.migrations_tool.switched import only_these, prepare, reachable_from_ramp
from tests.migrations_tool.world import World as Switching
from tests.migrations_tool.world import migrating
from tests.syncing.world import World, transaction_body

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def moved() -> Iterator[Switching]:
    """A customer on a direct integration, with a Ramp of their own."""
    with migrating() as ready:
        yield ready


@pytest.fixture
def migration(world: World) -> ConnectionMigration:
    """The customer has switched, and every type is held back."""
    world.connection.object_types = ["transaction"]
    world.connection.save(update_fields=["object_types"])
    started = services.start(world.connection, path=Path.MIGRATION, actor="ines", now=NOW)
    started.flipped_at = NOW
    started.save(update_fields=["flipped_at"])
    for object_type in SyncItem.ObjectType.values:
        pauses.pause(world.connection, object_type, HELD_BACK, "rampbridge")
    return started


def work_on(world: World, migration: ConnectionMigration, actor: str = "ines") -> Work:
    work = Work(migration, Step.CUTOVER, actor, lambda: NOW)
    vars(work)["erp"] = world.erp
    return work


def gate(migration: ConnectionMigration, code: str) -> Any:
    return next(one for one in conditions.gates(migration, NOW) if one.code == code)


def version(migration: ConnectionMigration) -> int:
    return StepRecord.objects.get(migration=migration, step=Step.CUTOVER).version


def sent_canary(world: World, migration: ConnectionMigration) -> CanaryObject:
    canaries.send(work_on(world, migration))
    post_canary(world.worker)
    return canaries.of(migration)[0]


class TestCanary:
    def test_one_of_a_type_goes_and_the_others_wait(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready(*(transaction_body() for _ in range(3)))

        chosen = canaries.send(work_on(world, migration))
        while post_canary(world.worker) or post_due_items(world.worker):
            pass

        assert chosen.sent == ["transaction"]
        assert SyncItem.objects.filter(state="POSTED").count() == 1
        assert SyncItem.objects.filter(state="READY").count() == 2

    def test_again_sends_no_second_one(self, world: World, migration: ConnectionMigration) -> None:
        world.ready(transaction_body(), transaction_body())
        sent_canary(world, migration)

        assert canaries.send(work_on(world, migration)).sent == []
        assert post_canary(world.worker) == 0

    def test_is_ticked_only_when_it_is_in_the_erp(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready()
        canaries.send(work_on(world, migration))
        (canary,) = canaries.of(migration)

        with pytest.raises(Refused, match="not in the ERP yet"):
            canaries.tick(canary, version=version(migration), actor="ines", now=NOW)

    def test_the_tick_opens_the_gate_and_an_objection_closes_it(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready()
        canary = sent_canary(world, migration)
        assert gate(migration, "cutover.canary").light is Light.UNKNOWN

        canaries.tick(canary, version=version(migration), actor="ines", now=NOW)
        assert gate(migration, "cutover.canary").light is Light.GREEN

        canaries.tick(
            canary,
            objection="Wrong department.",
            version=version(migration),
            actor="omar",
            now=NOW,
        )
        closed = gate(migration, "cutover.canary")
        assert closed.light is Light.RED
        assert "omar objects: Wrong department." in closed.words
        assert "send another one" in closed.fix

    def test_after_an_objection_another_one_is_sent(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready(transaction_body(), transaction_body())
        first = sent_canary(world, migration)
        canaries.tick(first, objection="Wrong.", version=version(migration), actor="ines", now=NOW)

        second = sent_canary(world, migration)

        assert second.item_id != first.item_id
        assert second.objection == ""

    def test_everything_follows_once_the_step_is_done(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready(transaction_body(), transaction_body())
        sent_canary(world, migration)
        pauses.pause(world.connection, "bill", "Month end.", "omar")

        CutoverHandler().completed(work_on(world, migration))

        post_due_items(world.worker)
        assert not SyncItem.objects.filter(state="READY").exists()
        assert [one.reason for one in pauses.standing(world.connection)] == ["Month end."]

    def test_undo_holds_everything_back_and_reverses_the_documents(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready()
        canary = sent_canary(world, migration)

        CutoverHandler().undo(work_on(world, migration))
        CutoverHandler().undo(work_on(world, migration))

        canary.refresh_from_db()
        assert canary.reversed_at is not None
        assert world.erp.calls.count("void") == 1
        assert pauses.is_paused(world.connection, "transaction")
        assert gate(migration, "cutover.canary").light is Light.RED

    def test_undo_leaves_no_pause_that_would_end_by_itself(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        Pause.objects.filter(object_type="transaction").update(
            is_automatic=True, reason="25 in a row were refused.", canary_due_at=NOW
        )

        CutoverHandler().undo(work_on(world, migration))

        held = Pause.objects.get(object_type="transaction", resumed_at=None)
        assert (held.is_automatic, held.canary_due_at) == (False, None)

    def test_nothing_is_sent_or_released_once_the_switch_is_taken_back(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready()
        work = work_on(world, migration)
        work.evidence("flip.stopped", "Stopped.", is_good=True)

        for act in (CutoverHandler().apply, CutoverHandler().check):
            with pytest.raises(Refused, match="being taken back"):
                act(work)

    def test_a_type_follows_only_while_our_connection_is_the_active_one(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready(transaction_body(), transaction_body())
        canary = sent_canary(world, migration)
        canaries.tick(canary, version=version(migration), actor="ines", now=NOW)
        duplicates.check(work_on(world, migration))
        late = Work(migration, Step.FLIP, "rampbridge", lambda: NOW + timedelta(hours=1))

        def release() -> None:
            canaries.release_early(
                migration, "transaction", version=version(migration), actor="ines", now=NOW
            )

        late.evidence("flip.switched", "Sage Intacct is active now.", is_good=False)
        with pytest.raises(Refused, match="Sage Intacct is active now"):
            release()
        late.evidence("flip.switched", "Ours is active again.", is_good=True)
        with pytest.raises(Refused, match="check this step again"):
            release()
        assert pauses.is_paused(world.connection, "transaction")

    def test_before_the_switch_nothing_is_sent(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        migration.flipped_at = None

        with pytest.raises(Refused, match="has not switched yet"):
            CutoverHandler().apply(work_on(world, migration))


def archive_of(migration: ConnectionMigration, **objects: Mapping[str, Any]) -> Backup:
    made = Backup.objects.create(
        migration=migration, number=1, made_by="ines", began_at=NOW, state=Backup.State.READING
    )
    for ramp_id, details in objects.items():
        known: dict[str, Any] = {
            "object_type": "transaction",
            "amount_minor": 1234,
            "currency": "USD",
        }
        known |= {"exponent": 2, "codings": [], **details}
        FormerCoding.objects.create(backup=made, ramp_id=ramp_id, **known)
    Backup.objects.filter(pk=made.pk).update(state=Backup.State.SEALED, sealed_at=NOW)
    return made


class TestDuplicates:
    def test_what_may_be_a_double_is_no_canary(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        double, other = world.ready(transaction_body(), transaction_body())
        SyncItem.objects.filter(pk=double.pk).update(due_at=NOW - timedelta(days=400))
        archive_of(migration, **{str(double.ramp_id): {"standing": "synced"}})
        work = work_on(world, migration)
        duplicates.check(work)

        chosen = canaries.send(work)

        assert chosen.sent == ["transaction"]
        assert canaries.of(migration)[0].item_id == other.pk

    def test_vendor_credits_of_before_are_looked_at_before_one_goes(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.connection.object_types = ["vendor_credit"]
        world.connection.save(update_fields=["object_types"])
        credit = SyncItemFactory.create(
            connection=world.connection,
            object_type="vendor_credit",
            state="READY",
            due_at=NOW,
            snapshot_at=timezone.now(),
        )
        details = {"standing": "ready", "object_type": "vendor_credit"}
        archive_of(migration, **{str(credit.ramp_id): details})
        work = work_on(world, migration)

        [suspect] = duplicates._credits_of_before(migration)
        assert "Ramp does not say of vendor credits" in suspect.why
        work.evidence(
            "cutover.duplicates",
            "1 seems to have been booked before.",
            is_good=False,
            result={"suspects": [asdict(suspect) | {"key": suspect.key}]},
        )
        chosen = canaries.send(work)
        assert (chosen.sent, chosen.doubtful) == ([], ["vendor_credit"])

        acts.dismiss(
            migration,
            key=suspect.key,
            reason="The ERP has none of it.",
            version=version(migration),
            actor="ines",
            now=NOW,
        )
        assert canaries.send(work).sent == ["vendor_credit"]

    def test_nothing_found_opens_the_gate(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        world.ready()

        assert duplicates.check(work_on(world, migration)) == []
        assert gate(migration, "cutover.duplicates").light is Light.GREEN

    def test_what_the_archive_says_was_synced_is_found(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        (item,) = world.ready()
        archive_of(migration, **{str(item.ramp_id): {"standing": "synced"}})

        (suspect,) = duplicates.check(work_on(world, migration))

        assert "had synced it before" in suspect.why
        assert gate(migration, "cutover.duplicates").light is Light.RED

    def test_what_ramp_says_was_synced_before_the_switch_is_found(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        before = (NOW - timedelta(days=2)).isoformat()
        world.ready(transaction_body(synced_at=before))

        (suspect,) = duplicates.check(work_on(world, migration))

        assert "before the switch" in suspect.why

    def test_a_document_of_the_old_integration_in_the_erp_is_found_and_dismissed(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        (item,) = world.ready()
        canary = sent_canary(world, migration)
        assert canary.item_id == item.pk
        ours = world.erp.books.entries[-1].doc
        world.erp.books.book(replace(ours, ref=Ref("", ours.kind, "")))

        (suspect,) = duplicates.check(work_on(world, migration))
        assert "it is not ours" in suspect.why

        acts.dismiss(
            migration,
            key=suspect.key,
            reason="A second seat of the same price.",
            version=version(migration),
            actor="ines",
            now=NOW,
        )
        assert gate(migration, "cutover.duplicates").light is Light.GREEN
        assert duplicates.check(work_on(world, migration)) == []


ACCOUNT = {"type": "GL_ACCOUNT", "field_id": "Category", "id": "58", "code": "", "name": "Software"}
CLASS = {"type": "OTHER", "field_id": "qbo-class", "id": "41", "code": "", "name": "Engineering"}
TRANSLATION = Translation(
    {
        Key(Kind.ACCOUNT, "", "58"): Goal("58", State.MAPPED, "6200", "", "6200 Software", ""),
        Key(Kind.OPTION, "qbo-class", "41"): Goal(
            "Engineering", State.MATCHED, "ENG", "department", "Engineering", ""
        ),
        Key(Kind.ACCOUNT, "", "99"): Goal("99", State.PARKED, "", "", "", "parked"),
    }
)
NEW_ACCOUNT = ACCOUNT | {"id": "6200", "code": "6200"}
NEW_CLASS = CLASS | {"field_id": "department", "id": "ENG"}


def verdicts(before: list[Any], after: list[Any] | None) -> list[str]:
    now = None if after is None else [{"minor": 1, "selections": after}]
    found = codings.judged([{"minor": 1, "selections": before}], now, TRANSLATION)
    return [one["verdict"] for one in found]


class TestCodings:
    @pytest.mark.parametrize(
        ("after", "expected"),
        [
            ([NEW_ACCOUNT, NEW_CLASS], ["kept", "kept"]),
            ([NEW_ACCOUNT | {"id": "6400"}, NEW_CLASS], ["changed", "kept"]),
            ([NEW_ACCOUNT], ["kept", "lost"]),
            ([NEW_ACCOUNT, CLASS], ["kept", "lost"]),
            (None, ["lost", "lost"]),
        ],
    )
    def test_each_is_kept_changed_or_lost(
        self, after: list[Any] | None, expected: list[str]
    ) -> None:
        assert verdicts([ACCOUNT, CLASS], after) == expected

    def test_what_is_parked_is_not_expected(self) -> None:
        assert verdicts([ACCOUNT | {"id": "99"}], []) == []

    def test_a_loss_is_acknowledged_for_exactly_what_was_read(
        self, world: World, migration: ConnectionMigration
    ) -> None:
        lost = CodingComparison.objects.create(
            migration=migration,
            object_type="transaction",
            ramp_id="00000000-0000-4000-8000-000000000001",
            verdict="lost",
            before=[],
            after=[],
            at=NOW,
        )
        work_on(world, migration).evidence(
            "cutover.codings", "1 lost.", is_good=False, checksum=codings.checksum(migration)
        )
        assert gate(migration, "cutover.codings").light is Light.RED

        acts.acknowledge_codings(
            migration,
            checksum=codings.checksum(migration),
            version=version(migration),
            actor="ines",
            now=NOW,
        )
        assert gate(migration, "cutover.codings").light is Light.GREEN

        CodingComparison.objects.filter(pk=lost.pk).update(verdict="changed")
        assert gate(migration, "cutover.codings").light is Light.RED


class TestMeasured:
    def test_objects_are_read_again_from_ramp_after_the_switch(
        self, moved: Switching, settings: Settings
    ) -> None:
        with only_these(Step.FLIP, Step.BACKUP), reachable_from_ramp(settings):
            prepare(moved)
            moved.do(Step.BACKUP, Act.APPLY)
            new = moved.migration.new_connection_id
            assert new is not None
            account = GLAccountUpload(
                id="E64", name="Supplies", code="64", classification="EXPENSE"
            )
            moved.ramp.for_inactive(new).upload_gl_accounts([account])
            for old_id, erp_id in (("60", "E64"), ("57", "E61")):
                OldRecord.objects.create(
                    migration=moved.migration,
                    kind="account",
                    old_id=old_id,
                    name=old_id,
                    state="mapped",
                    erp_id=erp_id,
                )
            moved.do(Step.FLIP, Act.APPLY)
            moved.flip(accounts={"60": "E64"})

            counts = codings.compare(moved.work(Step.CUTOVER))

        found = {str(one.ramp_id): one.verdict for one in CodingComparison.objects.all()}
        staples, delta, ads, _ = (one.id for one in moved.synced)
        assert found[staples] == "kept"
        assert found[delta] == "lost"
        assert ads not in found  # nothing of it was to be expected
        assert counts.total() == len(found)
