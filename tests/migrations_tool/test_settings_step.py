"""Step 9: taxes in their order, vendor credits and switches, as the last year used them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from connections.erp.records import Master, MasterKind
from connections.models import Switch, TaxRate
from connections.models.audit import AuditLine
from connections.ramp.inactive import InactiveChart
from migrations_tool.models import Backup, Evidence, FormerCoding, StepRun
from migrations_tool.settings_step import wishes
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Light, Refused, StepNotCurrent
from tests.connections.mirror.charts import writes
from tests.factories import UserFactory
from tests.migrations_tool.world import World

READ_BACK = "settings.read_back"
RATES, FIELD, CODES = (
    "POST /accounting/tax/rates",
    "POST /accounting/tax/code",
    "POST /accounting/tax/code/options",
)
Archive = Callable[..., Backup]


@pytest.fixture
def world(world: World) -> World:
    """Our connection is made and filled."""
    assert world.do(Step.CONNECTION, Act.APPLY).state == "done"
    assert world.do(Step.PRELOAD, Act.APPLY).state == "done"
    return world


@pytest.fixture
def archive(world: World) -> Archive:
    """Seals a backup with so many objects of each sort, this long ago."""

    def keep(*, taxed: int = 0, credited: int = 0, vendors: int = 0, days_ago: int = 30) -> Backup:
        number = Backup.objects.count() + 1
        backup = Backup.objects.create(
            migration=world.migration, number=number, made_by="ines", began_at=world.clock()
        )
        for object_type, selection, count in (
            ("transaction", "TAX_CODE", taxed),
            ("transaction", "MERCHANT", vendors),
            ("vendor_credit", "GL_ACCOUNT", credited),
        ):
            lines = [{"minor": 1, "selections": [{"type": selection, "id": "1"}]}]
            for _ in range(count):
                FormerCoding.objects.create(
                    backup=backup,
                    object_type=object_type,
                    ramp_id=uuid4(),
                    spent_on=(world.clock() - timedelta(days=days_ago)).date(),
                    amount_minor=1,
                    currency="USD",
                    exponent=2,
                    standing="synced",
                    codings=lines,
                )
        Backup.objects.filter(pk=backup.pk).update(
            state=Backup.State.SEALED, sealed_at=world.clock()
        )
        return backup

    return keep


def apply(world: World) -> StepRun:
    return world.do(Step.SETTINGS, Act.APPLY)


def ours(world: World) -> UUID:
    found = world.migration.new_connection_id
    assert found
    return found


def chart(world: World) -> InactiveChart:
    return world.ramp.for_inactive(ours(world))


def switches_in_ramp(world: World) -> dict[str, bool]:
    return dict(world.ramp.connection(ours(world)).settings or {})


class TestTaxes:
    def test_that_were_used_are_set_up_in_their_order(self, world: World, archive: Archive) -> None:
        archive(taxed=3)
        world.sim.service.reset_counters()

        run = apply(world)

        assert run.state == "done"
        order = [one.operation for one in world.sim.log if one.operation in {RATES, FIELD, CODES}]
        assert order == [RATES, FIELD, CODES]
        assert [one.name for one in chart(world).tax_rates()] == ["Sales tax 8.25%"]
        assert [one.name for one in chart(world).tax_codes()] == ["Sales tax 8.25%"]
        assert world.light(READ_BACK) is Light.GREEN

    def test_leave_the_active_connections_taxes_alone(self, world: World, archive: Archive) -> None:
        archive(taxed=1)
        before = [one.model_dump() for one in world.ramp.tax_rates()]

        apply(world)

        assert [one.model_dump() for one in world.ramp.tax_rates()] == before

    def test_that_nobody_used_are_left_out(self, world: World, archive: Archive) -> None:
        archive(taxed=2, days_ago=400)
        sent = writes(world.sim)

        run = apply(world)

        assert run.state == "done"
        assert writes(world.sim) == sent
        assert chart(world).tax_code_field() is None
        assert world.light(READ_BACK) is Light.GREEN
        assert "No tax code was used" in world.do(Step.SETTINGS, Act.PLAN).title

    def test_wait_with_the_codes_until_all_rates_are_in_ramp(
        self, world: World, archive: Archive
    ) -> None:
        archive(taxed=1)
        bad = {"rate": "0.2", "account": "no-such-account"}
        world.erp.books.put(Master(MasterKind.TAX_CODE, "T20", "VAT", extra=bad))

        run = apply(world)

        assert run.state == "refused"
        assert "Ramp has 1 of 2 tax rates" in run.title
        assert "VAT: Its account no-such-account is not in Ramp" in run.title
        assert world.sim.calls[CODES] == 0

    def test_that_the_erp_does_not_have_are_named(self, world: World, archive: Archive) -> None:
        archive(taxed=7)
        world.erp.books.remove(MasterKind.TAX_CODE, "T825")

        run = apply(world)

        assert "7 objects had a tax code, and Ledger lists none." in run.fix
        assert world.light(READ_BACK) is Light.RED

    def test_changed_in_ramp_turn_the_proof_red(self, world: World, archive: Archive) -> None:
        archive(taxed=1)
        apply(world)
        rate = TaxRate.objects.get()
        assert rate.ramp_id
        chart(world).update_tax_rate(rate.ramp_id, rate="0.09")

        world.do(Step.SETTINGS, Act.CHECK)

        assert world.light(READ_BACK) is Light.RED
        assert "0.09 Sales tax 8.25%" in Evidence.objects.filter(code=READ_BACK).latest("at").text

    def test_again_send_nothing(self, world: World, archive: Archive) -> None:
        archive(taxed=1, credited=1)
        apply(world)
        sent = writes(world.sim)

        assert apply(world).title == "Nothing was left to do."
        assert writes(world.sim) == sent


class TestSwitches:
    def test_are_turned_as_they_were_used(self, world: World, archive: Archive) -> None:
        archive(credited=2, vendors=1)

        run = apply(world)

        assert run.title == "Vendor credits is on. Vendor creation is on."
        found = switches_in_ramp(world)
        assert found["vendor_credits_enabled"]
        assert found["transaction_accounting_vendor_creation_on_sync_enabled"]
        assert not found["transaction_sync_button_enabled"]

    def test_of_what_nobody_used_stay_off(self, world: World, archive: Archive) -> None:
        archive()

        apply(world)

        assert not any(switches_in_ramp(world).values())
        assert world.light(READ_BACK) is Light.GREEN

    def test_the_sync_button_is_turned_off(self, world: World, archive: Archive) -> None:
        archive()
        world.ramp.update_connection(ours(world), {"transaction_sync_button_enabled": True})

        run = apply(world)

        assert run.title == "Sync button, transactions is off."
        assert not any(switches_in_ramp(world).values())

    def test_a_person_may_choose_otherwise(self, world: World, archive: Archive) -> None:
        archive(credited=2)
        world.do(Step.SETTINGS, Act.PLAN)
        version = world.migration.steps.get(step=Step.SETTINGS).version

        wishes.choose(
            world.migration,
            Switch.Name.VENDOR_CREDITS,
            on=False,
            version=version,
            actor="ines",
            now=world.clock(),
        )
        apply(world)

        assert not switches_in_ramp(world)["vendor_credits_enabled"]
        assert world.light(READ_BACK) is Light.GREEN
        (row, *_) = Evidence.objects.filter(code=READ_BACK).latest("at").result["switches"]
        assert row["why"] == "Chosen by ines."
        assert AuditLine.objects.filter(actor="ines", act="connection.switch").exists()

    def test_a_stale_page_cannot_choose(self, world: World) -> None:
        with pytest.raises(StepNotCurrent):
            choose(world, Switch.Name.VENDOR_CREDITS, version=99)

    def test_nobody_can_choose_the_sync_button(self, world: World) -> None:
        with pytest.raises(Refused, match="stays off for now"):
            choose(world, Switch.Name.TRANSACTION_BUTTON, version=1)

    def test_turned_in_ramp_turn_the_gate_red_without_a_check(
        self, world: World, archive: Archive
    ) -> None:
        archive(credited=1)
        apply(world)
        Switch.objects.filter(name=Switch.Name.VENDOR_CREDITS).update(found=False)

        gate = world.gates(Step.SETTINGS)[READ_BACK]

        assert gate.words == "Vendor credits is off in Ramp and is to be on."
        assert gate.light is Light.RED


def choose(world: World, name: Switch.Name, *, version: int) -> None:
    wishes.choose(world.migration, name, on=True, version=version, actor="ines", now=world.clock())


class TestStep:
    def test_without_a_backup_says_which_step_comes_first(self, world: World) -> None:
        run = apply(world)

        assert run.state == "refused"
        assert "There is no backup yet" in run.title

    def test_waits_out_a_silence(self, world: World, archive: Archive) -> None:
        archive(taxed=1, credited=1)
        world.sim.fault("lost_answer", RATES)
        world.sim.fault("lost_answer", "PATCH /accounting/connection/{connection_id}")

        run = apply(world)

        assert run.state == "done"
        assert world.light(READ_BACK) is Light.GREEN
        assert world.sim.calls[RATES] == 1

    def test_taken_back_switches_off_and_leaves_the_taxes(
        self, world: World, archive: Archive
    ) -> None:
        archive(taxed=1, credited=1, vendors=1)
        apply(world)

        run = world.do(Step.SETTINGS, Act.UNDO)

        assert run.title == "Vendor credits is off. Vendor creation is off."
        assert not any(switches_in_ramp(world).values())
        assert len(list(chart(world).tax_codes())) == 1
        assert world.light(READ_BACK) is Light.RED
        apply(world)
        assert switches_in_ramp(world)["vendor_credits_enabled"]

    def test_of_a_fresh_connection_goes_by_the_erp(self, world: World) -> None:
        migration = world.migration
        migration.path = Path.FRESH
        migration.save(update_fields=["path"])

        run = world.do(Step.SETTINGS, Act.PLAN)

        assert run.state == "done"
        assert Evidence.objects.get(code="settings.plan").inputs["usage"]["taxed"] == 1


@pytest.fixture
def ines(client: Client) -> Client:
    client.force_login(UserFactory.create(roles=["implementer"]))
    return client


def test_the_page_keeps_a_choice(world: World, archive: Archive, ines: Client) -> None:
    archive(credited=1)
    world.do(Step.SETTINGS, Act.PLAN)
    version = world.migration.steps.get(step=Step.SETTINGS).version
    address = reverse("migration_settings_choose", args=[world.migration.pk])

    kept = ines.post(address, {"name": "vendor_credits_enabled", "on": "0", "version": version})
    stale = ines.post(address, {"name": "vendor_credits_enabled", "on": "1", "version": version})

    assert (kept.status_code, stale.status_code) == (200, 409)
    assert "Vendor credits is to be off." in kept.content.decode()
    assert Switch.objects.get(name="vendor_credits_enabled").wanted is False
