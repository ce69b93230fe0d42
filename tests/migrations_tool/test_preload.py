"""Step 8: the ERP's chart on our inactive connection, record by record alike."""

import json
from collections.abc import Callable
from unittest.mock import patch

import httpx
import pytest
from django.db.models.functions import Now

from connections.erp.records import Master, MasterKind
from connections.mirror import schedule
from connections.models import Mirror, MirrorRun, UploadBatch, Vendor
from migrations_tool import running
from migrations_tool.models import Evidence, StepRun
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Light
from rampbridge.lib import failpoints
from tests.connections.mirror.charts import writes
from tests.migrations_tool.world import World

PARITY = "preload.parity"
VENDORS = "POST /accounting/vendors"


@pytest.fixture
def world(world: World) -> World:
    """Our connection stands beside the active one."""
    assert world.do(Step.CONNECTION, Act.APPLY).state == "done"
    return world


class Killed(BaseException):
    """Where a worker would be gone."""


def kill_at(place: str, passage: int = 1) -> Callable[[str], None]:
    passed = 0

    def hit(name: str) -> None:
        nonlocal passed
        passed += name == place
        if name == place and passed == passage:
            raise Killed(place)

    return hit


def apply(world: World) -> StepRun:
    return world.do(Step.PRELOAD, Act.APPLY)


def check(world: World) -> StepRun:
    return world.do(Step.PRELOAD, Act.CHECK)


def put_vendor(world: World, given: str, name: str, **more: object) -> None:
    world.erp.books.put(Master(MasterKind.VENDOR, given, name, **more))  # type: ignore[arg-type]


def names_in_ramp(world: World) -> set[str]:
    ours = world.migration.new_connection_id
    assert ours
    return {one.name for one in world.ramp.for_inactive(ours).vendors(is_active=True)}


class TestPlan:
    def test_counts_what_would_be_sent_and_sends_nothing(self, world: World) -> None:
        run = world.do(Step.PRELOAD, Act.PLAN)

        planned = Evidence.objects.get(code="preload.plan")
        assert planned.counts["vendor"] == {"create": 4}
        assert planned.counts["account"]["create"] > 5
        assert "tax_rate" not in planned.counts, "taxes are those of step 9"
        assert run.title == planned.text
        assert not writes(world.sim)

    def test_before_our_connection_is_made_says_which_step_comes_first(self, world: World) -> None:
        world.do(Step.CONNECTION, Act.UNDO)

        run = world.do(Step.PRELOAD, Act.PLAN)

        assert (run.state, run.title) == (
            "refused",
            "Our connection is not made yet. Do step 6 first.",
        )


class TestApply:
    def test_fills_the_inactive_connection_and_leaves_the_active_one(self, world: World) -> None:
        before = [one.model_dump() for one in world.ramp.gl_accounts()]

        run = apply(world)

        assert run.state == "done"
        assert names_in_ramp(world) == {"Staples", "Uline", "Figma, Inc.", "Delta Airlines"}
        assert [one.model_dump() for one in world.ramp.gl_accounts()] == before
        assert {one.name for one in world.ramp.vendors()}.isdisjoint({"Figma, Inc."})

    def test_every_body_names_the_inactive_connection(self, world: World) -> None:
        bodies: list[dict[str, object]] = []
        send = world.http.send

        def watch(request: httpx.Request, **more: object) -> httpx.Response:
            if "/accounting/" in request.url.path and request.method != "GET":
                bodies.append(json.loads(request.content))
            return send(request, **more)  # type: ignore[arg-type]

        with patch.object(world.http, "send", watch):
            apply(world)

        named = {one["accounting_connection_id"] for one in bodies}
        assert named == {str(world.migration.new_connection_id)}
        assert len(bodies) == 4, "accounts, the field, its options, vendors"

    def test_again_sends_nothing(self, world: World) -> None:
        apply(world)
        before = writes(world.sim)

        again = apply(world)

        assert again.title == "Nothing was left to send."
        assert writes(world.sim) == before

    def test_keeps_a_ledger_of_batches_with_trace_ids(self, world: World) -> None:
        run = apply(world)

        batches = UploadBatch.objects.filter(run__trigger=MirrorRun.Trigger.MIGRATION)
        assert {one.kind for one in batches} == {"account", "field", "option", "vendor"}
        assert all(one.trace_id for one in batches if one.kind != "field")
        assert run.all_items
        assert run.done_items == run.all_items
        assert MirrorRun.objects.get(trigger="migration").sent["vendor"] == {"create": 4}

    def test_names_the_field_of_a_record_that_ramp_refuses(self, world: World) -> None:
        world.sim.fault("bad_row", VENDORS, row_id="72", times=None, status=422, field="name")

        run = apply(world)

        assert run.title.endswith("1 was refused.")
        assert names_in_ramp(world) == {"Staples", "Figma, Inc.", "Delta Airlines"}
        refused = Vendor.objects.get(erp_id="72")
        assert refused.refusal
        assert refused.refusal_field == "name"
        assert check(world).fix
        (difference,) = Evidence.objects.get(code=PARITY).result["differences"]
        assert (difference["erp_id"], difference["kind"]) == ("72", "vendor")
        assert refused.refusal in difference["words"]
        assert world.light(PARITY) is Light.RED

    def test_a_silence_of_ramps_is_waited_out(self, world: World) -> None:
        world.sim.fault("lost_answer", VENDORS)
        world.sim.fault("answer", "POST /accounting/accounts", status=503, times=2)

        run = apply(world)

        assert run.state == "done"
        assert run.tries > 1
        assert check(world).title == "The chart is the same on all three sides."

    def test_waits_while_a_refresh_is_at_the_chart(self, world: World) -> None:
        lease = schedule.take(world.connection.pk, also=schedule.EVERYTHING)
        assert lease
        run = world.ask(Step.PRELOAD, Act.APPLY)

        running.do(run.pk, clock=world.clock)

        run.refresh_from_db()
        assert run.state == "waiting"
        assert run.doing.startswith("A refresh is at this customer's chart.")
        schedule.give_back(lease)
        assert world.finish(run).state == "done"

    def test_after_the_switch_says_who_uploads(self, world: World) -> None:
        migration = world.migration
        migration.flipped_at = world.clock()
        migration.save(update_fields=["flipped_at"])

        run = apply(world)

        assert run.state == "refused"
        assert "uploaded by itself now" in run.title

    def test_stops_when_the_connection_is_not_as_it_was(self, world: World) -> None:
        """Ramp refuses in words that nobody knows: the connection is looked at again."""
        world.sim.fault(
            "answer", VENDORS, status=400, code="DEVELOPER_7001", message="No.", times=3
        )
        with world.scene.change():
            row = world.scene.connections.get(str(world.migration.new_connection_id))
            assert row
            row.name = "Somebody else's"
            world.scene.connections.put(row)

        run = apply(world)

        assert run.state == "refused"
        assert "Our connection in Ramp has changed" in run.title


class TestAKilledWorker:
    @pytest.mark.parametrize(
        "place", ["before_upload", "after_upload", "after_upload_kept", "in_step_run"]
    )
    @pytest.mark.parametrize("passage", [1, 2, 4])
    def test_leaves_nothing_twice_and_nothing_out(
        self, world: World, place: str, passage: int
    ) -> None:
        run = world.ask(Step.PRELOAD, Act.APPLY)
        with patch.object(failpoints, "hit", kill_at(place, passage)), pytest.raises(Killed):
            running.do(run.pk, clock=world.clock)

        assert world.finish(run).state == "done"

        assert check(world).title == "The chart is the same on all three sides."
        assert writes(world.sim).total() == 4, "each of the four uploads was made once"

    def test_is_followed_at_once_although_it_held_the_chart(self, world: World) -> None:
        run = world.ask(Step.PRELOAD, Act.APPLY)
        with (
            patch.object(schedule, "give_back"),  # nobody gives back what a dead process held
            patch.object(failpoints, "hit", kill_at("after_upload")),
            pytest.raises(Killed),
        ):
            running.do(run.pk, clock=world.clock)
        assert Mirror.objects.get().lease_token

        StepRun.objects.update(due_at=Now())
        running.do(run.pk, clock=world.clock)

        run.refresh_from_db()
        assert run.state == "done"
        assert Mirror.objects.get().lease_token is None


class TestParity:
    def test_is_the_same_count_and_checksum_on_three_sides(self, world: World) -> None:
        apply(world)

        check(world)

        proof = Evidence.objects.get(code=PARITY)
        assert proof.is_good
        for name, sides in proof.counts.items():
            assert len(set(sides.values())) == 1, name
            assert len(set(proof.result["checksums"][name].values())) == 1, name
        assert proof.counts["vendor"] == {"erp": 4, "ours": 4, "ramp": 4}
        assert any(name.startswith("option of ") for name in proof.counts), "options by field"
        assert len(proof.checksum) == 64
        assert world.light(PARITY) is Light.GREEN

    def test_is_red_before_anything_was_sent(self, world: World) -> None:
        check(world)

        assert world.light(PARITY) is Light.RED
        assert world.do(Step.PRELOAD, Act.COMPLETE).state == "refused"

    def test_names_what_ramp_has_otherwise(self, world: World) -> None:
        apply(world)
        ours = world.migration.new_connection_id
        assert ours
        chart = world.ramp.for_inactive(ours)
        travel = next(one for one in chart.gl_accounts() if one.code == "6100")
        chart.update_gl_account(travel.ramp_id, name="Trips")
        chart.upload_vendors([{"id": "made-by-hand", "name": "Stranger"}])

        check(world)

        found = {
            one["erp_id"]: one["words"]
            for one in Evidence.objects.get(code=PARITY).result["differences"]
        }
        assert found == {
            "6100": "Ramp has it as “6100 Trips”. Apply this step.",
            "made-by-hand": "Ramp offers “Stranger”, and the ERP does not have it.",
        }

    def test_finds_a_record_that_we_lost_between_the_two(self, world: World) -> None:
        """What Ramp and our rows agree on is no proof, as long as the ERP has more."""
        apply(world)
        with patch("connections.mirror.reading._write"):
            put_vendor(world, "75", "Never written")
            check(world)

        (difference,) = Evidence.objects.get(code=PARITY).result["differences"]
        assert (difference["erp_id"], difference["name"]) == ("75", "Never written")

    def test_leaves_out_what_the_erp_has_closed(self, world: World) -> None:
        put_vendor(world, "90", "Closed down", active=False)
        apply(world)

        check(world)

        assert "Closed down" not in names_in_ramp(world)
        assert world.light(PARITY) is Light.GREEN

    def test_is_worth_nothing_after_a_day(self, world: World) -> None:
        apply(world)
        check(world)

        world.turn(hours=23)
        assert world.light(PARITY) is Light.GREEN
        world.turn(hours=2)
        assert world.light(PARITY) is Light.RED

    def test_stays_good_once_the_customer_has_switched(self, world: World) -> None:
        apply(world)
        check(world)
        migration = world.migration
        migration.flipped_at = world.clock()
        migration.save(update_fields=["flipped_at"])

        world.turn(days=7)

        assert world.light(PARITY) is Light.GREEN

    def test_that_was_old_at_the_switch_stays_red(self, world: World) -> None:
        apply(world)
        check(world)
        world.turn(hours=25)
        migration = world.migration
        migration.flipped_at = world.clock()
        migration.save(update_fields=["flipped_at"])

        assert world.light(PARITY) is Light.RED

    def test_is_red_once_the_erps_chart_changes(self, world: World) -> None:
        apply(world)
        check(world)

        put_vendor(world, "80", "New one")
        world.do(Step.PRELOAD, Act.PLAN)

        gate = world.gates(Step.PRELOAD)[PARITY]
        assert (gate.light, gate.words) == (
            Light.RED,
            "The ERP's chart has changed since this was counted.",
        )
        apply(world)
        check(world)
        assert world.light(PARITY) is Light.GREEN

    def test_hides_what_the_erp_closes_meanwhile(self, world: World) -> None:
        apply(world)
        (page,) = world.erp.changes(MasterKind.DIMENSION_VALUE, None)
        option = page.items[0]
        world.erp.books.put(
            Master(option.kind, option.id, option.name, parent=option.parent, active=False)
        )

        apply(world)
        check(world)

        sent = MirrorRun.objects.filter(trigger="migration").order_by("-started_at")[0]
        assert sent.sent["option"] == {"hide": 1}
        assert world.light(PARITY) is Light.GREEN


class TestUndo:
    def test_deletes_what_was_made_on_the_inactive_connection(self, world: World) -> None:
        apply(world)
        before = [one.model_dump() for one in world.ramp.gl_accounts()]

        run = world.do(Step.PRELOAD, Act.UNDO)

        ours = world.migration.new_connection_id
        assert ours
        chart = world.ramp.for_inactive(ours)
        assert not list(chart.gl_accounts(is_active=True))
        assert not list(chart.fields(is_active=True))
        assert not names_in_ramp(world)
        assert [one.model_dump() for one in world.ramp.gl_accounts()] == before
        assert "were deleted on the inactive connection" in run.title
        assert world.light(PARITY) is Light.RED

    def test_goes_on_after_a_death(self, world: World) -> None:
        apply(world)
        run = world.ask(Step.PRELOAD, Act.UNDO)
        with patch.object(failpoints, "hit", kill_at("after_upload", 3)), pytest.raises(Killed):
            running.do(run.pk, clock=world.clock)

        assert world.finish(run).state == "done"

        assert not names_in_ramp(world)

    def test_is_made_good_by_applying_again(self, world: World) -> None:
        apply(world)
        world.do(Step.PRELOAD, Act.UNDO)

        apply(world)
        check(world)

        assert world.light(PARITY) is Light.GREEN

    def test_not_once_the_customer_works_with_it(self, world: World) -> None:
        apply(world)
        migration = world.migration
        migration.flipped_at = world.clock()
        migration.save(update_fields=["flipped_at"])

        run = world.do(Step.PRELOAD, Act.UNDO)

        assert run.state == "refused"
        assert names_in_ramp(world)
