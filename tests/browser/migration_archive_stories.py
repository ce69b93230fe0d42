"""Steps 4 and 5 of a migration and the archive of codings: new, under way, done, and long."""

from datetime import timedelta

from migrations_tool.drain import counting, readings
from migrations_tool.drain.deciding import decide
from migrations_tool.models import BillInFlight, ConnectionMigration, StepRecord
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Status
from tests.factories import LONG_NAME
from tests.migrations_tool.world import World, migrating

STEPS = (Step.BACKUP, Step.DRAIN)
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def nothing_yet() -> ConnectionMigration:
    """Nobody has looked."""
    with migrating(spend=False) as world:
        return _planned(world)


def under_way() -> ConnectionMigration:
    """Two versions of the archive, the newer one stale; much is ready, a list is refused."""
    with migrating() as world:
        migration = _planned(world)
        world.do(Step.BACKUP, Act.APPLY)
        world.buy("8.00", merchant="Blue Bottle")
        world.do(Step.BACKUP, Act.APPLY, settings={"anew": True})
        world.business.change_in_ramp("account", "57", name="Trips")
        world.do(Step.BACKUP, Act.CHECK)
        _earlier(world, 190, 150, 120, 80, 40)
        world.do(Step.DRAIN, Act.CHECK)
        _refuse_cashbacks(migration)
        paid = BillInFlight.objects.filter(migration=migration, invoice_number="U-101")
        decide(
            migration,
            [one.pk for one in paid],
            BillInFlight.Decision.PAY,
            actor="ines",
            now=world.clock(),
        )
        paid.update(is_from_before_the_link=True)
        return migration


def done() -> ConnectionMigration:
    """Sealed and fresh; nothing has been ready for long enough; every bill is decided."""
    with migrating() as world:
        migration = _planned(world)
        world.do(Step.BACKUP, Act.APPLY)
        world.sync_old()
        _earlier(world, 12, 5, 0, 0)
        world.do(Step.DRAIN, Act.CHECK)
        bills = BillInFlight.objects.filter(migration=migration).values_list("pk", flat=True)
        hold = BillInFlight.Decision.HOLD
        decide(migration, list(bills), hold, actor="ines", now=world.clock())
        world.do(Step.DRAIN, Act.COMPLETE)
        return migration


def long_names() -> ConnectionMigration:
    """Names as long as they come."""
    with migrating() as world:
        migration = _planned(world)
        world.buy("123456.78", merchant=LONG_NAME, ready=True)
        world.buy("5.00", merchant=LONG_WORD, ready=True)
        world.business.create_bill(
            "99999.99", vendor=LONG_WORD, invoice_number=LONG_WORD[:60], account_code="6400"
        )
        world.do(Step.BACKUP, Act.APPLY)
        world.do(Step.DRAIN, Act.CHECK)
        return migration


def _planned(world: World) -> ConnectionMigration:
    migration = world.migration
    migration.old_connection_id = world.old.id
    migration.old_provider_name = "QuickBooks Online"
    migration.save()
    records = StepRecord.objects.filter(migration=migration)
    over = (Step.PLAN, Step.ACCESS, Step.INVENTORY)
    records.filter(step__in=over).update(status=Status.SKIPPED)
    return migration


def _earlier(world: World, *totals: int) -> None:
    """Readings of the last hour, as watching has left them."""
    migration = world.migration
    for number, total in enumerate(reversed(totals), start=1):
        counted = {name: counting.Ready() for name in counting.TYPES}
        counted["transaction"].count = total
        at = world.clock() - timedelta(minutes=12 * number)
        readings.keep(migration, counted, now=at)


def _refuse_cashbacks(migration: ConnectionMigration) -> None:
    (newest,) = readings.newest_first(migration, most=1)
    words = "These scopes are not allowed for this token: cashbacks:read"
    newest.ready["cashback"] = counting.Ready(refused=words).as_json()
    newest.save(update_fields=["ready"])
