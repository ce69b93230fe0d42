"""Mapping and rehearsal as people meet them: new, half decided, explained and signed."""

from django.utils import timezone

from connections.models import LedgerAccount, PostingProfile, Vendor
from migrations_tool import rehearsal
from migrations_tool.models import ConnectionMigration, OldRecord, RehearsedObject
from migrations_tool.old_chart import deciding
from migrations_tool.old_chart.deciding import Decision
from migrations_tool.rehearsal import explaining, reporting
from migrations_tool.steps import Act, Step
from tests.factories import LONG_NAME, UserFactory
from tests.migrations_tool.world import World, migrating

Kind, State = OldRecord.Kind, OldRecord.State
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def nobody_looked() -> ConnectionMigration:
    """Neither collected nor rehearsed."""
    with migrating(spend=False) as world:
        return world.migration


def half_decided() -> ConnectionMigration:
    """Matched, suggested and open; two lead to one; some objects would be held."""
    UserFactory.create(username="ines", roles=["implementer"])
    with migrating() as world:
        _collect(world)
        _decide(world, Kind.FIELD, "Class", "department")
        _park(world, Kind.ACCOUNT, "Equipment rental")
        old = OldRecord.objects.filter(name="Old projects")
        old.update(erp_id="6100", erp_name="6100 Travel", uses=1, money_minor=12_00)
        world.do(Step.REHEARSAL, Act.APPLY)
        return world.migration


def signed() -> ConnectionMigration:
    """All is decided and explained; the implementer has signed, and the customer."""
    UserFactory.create(username="ines", roles=["implementer"])
    with migrating() as world:
        _collect(world)
        _decide_all(world)
        world.do(Step.REHEARSAL, Act.APPLY)
        _explain(world, "As agreed with Dana on the telephone.")
        report = reporting.newest_report(world.migration)
        assert report is not None
        for role, name, email in (
            ("implementer", "ines", ""),
            ("customer", "Dana Reyes", "dana@harbor-coffee.example"),
        ):
            rehearsal.sign(
                world.migration,
                role=role,
                name=name,
                email=email,
                report_hash=report.digest,
                now=timezone.now(),
            )
        return world.migration


def long_names() -> ConnectionMigration:
    """Names as long as they come, on both sides."""
    UserFactory.create(username="ines", roles=["implementer"])
    with migrating() as world:
        _collect(world)
        _decide_all(world)
        world.connection.name, world.connection.erp_name = LONG_NAME, LONG_WORD[:60]
        world.connection.save()
        LedgerAccount.objects.update(name=LONG_NAME)
        Vendor.objects.update(name=LONG_WORD)
        world.do(Step.REHEARSAL, Act.APPLY)
        OldRecord.objects.update(
            name=LONG_NAME,
            erp_name=LONG_WORD,
            money_minor=123_456_789_012_34,
            evidence=LONG_WORD,
        )
        RehearsedObject.objects.update(label=LONG_WORD, amount_minor=123_456_789_012_34)
        return world.migration


def _collect(world: World) -> None:
    world.do(Step.PLAN, Act.CHECK)
    world.do(Step.BACKUP, Act.APPLY)
    world.do(Step.MAPPING, Act.APPLY)
    PostingProfile.objects.create(
        connection=world.connection,
        card_liability_account="2150",
        bank_account="1000",
        reimbursement_account="1000",
        cashback_account="6600",
    )


def _decide_all(world: World) -> None:
    _decide(world, Kind.FIELD, "Class", "department")
    _decide(world, Kind.ACCOUNT, "Equipment rental", "6600")
    ids = OldRecord.objects.filter(state=State.SUGGESTED, uses__gt=0).values_list("pk", flat=True)
    deciding.accept(world.migration, list(ids), actor="ines", now=timezone.now())


def _decide(world: World, kind: str, name: str, to: str) -> None:
    row = OldRecord.objects.get(migration=world.migration, kind=kind, name=name)
    why = Decision(row, to, "agreed with the controller", "The two are reported together.")
    deciding.decide(world.migration, why, actor="ines", now=timezone.now())


def _park(world: World, kind: str, name: str) -> None:
    row = OldRecord.objects.get(migration=world.migration, kind=kind, name=name)
    decision = Decision(row, because="Everything rented was given back in May.")
    deciding.decide(world.migration, decision, actor="ines", now=timezone.now())


def _explain(world: World, text: str) -> None:
    for row in explaining.unexplained(world.migration):
        explaining.explain(row, text, all_alike=True, actor="ines", now=timezone.now())
