"""Months that are being closed: in each state, with entities, stamps and a card statement."""

from datetime import date, datetime, timedelta
from uuid import uuid4

from connections.models import Connection
from syncing import close_rules
from syncing.closing import snapshots, stamps
from syncing.models import CardStatement, CloseDay, PeriodStamp
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    EntityFactory,
    ScheduleFactory,
    SyncItemFactory,
    now,
)
from tests.syncing.closing.world import item, line, section, statement


def period() -> date:
    """The month that everybody is closing."""
    return close_rules.last_ended(now().date())


def closing() -> Connection:
    """Customers in each state of the board; one of them has three entities and a statement."""
    month = period()
    for slug, name in (("flagged", "Pennine Outdoor Ltd"), ("clean", "Blue Mesa Solar")):
        connection = _customer(slug, name)
        for _ in range(3):
            item(connection, "acked", accounting_date=month)
        _stamp(connection, "ana")
    item(Connection.objects.get(slug="flagged"), "acked", accounting_date=month)
    item(_customer("ready", "Verde Clinics"), "acked", accounting_date=month)
    later = _customer("open", "Sakura Foods 株式会社", time_zone="Asia/Tokyo")
    CloseDay.objects.create(connection=later, working_day=20, changed_by="ana", changed_at=now())
    item(later, "retrying", accounting_date=month, currency="JPY", exponent=0, amount_minor=88_000)
    return _northwind(month)


def _northwind(month: date) -> Connection:
    connection = _customer("northwind", "Northwind Robotics", owner="hannah")
    entities = [
        EntityFactory.create(connection=connection, name=name, is_primary=name.endswith("Inc"),
                             is_mapped=name != "Northwind Robotics GmbH").ramp_id
        for name in ("Northwind Robotics Inc", "Northwind Robotics GmbH")
    ]  # fmt: skip
    booked = [
        item(connection, "acked", accounting_date=month + timedelta(days=n),
             entity_ramp_id=entities[0], amount_minor=10_000 + n, ready_at=_at(month, n))
        for n in range(12)
    ]  # fmt: skip
    failed = item(connection, "failed", accounting_date=month, entity_ramp_id=entities[0],
                  label="Cafe Imports", amount_minor=41_250)  # fmt: skip
    item(connection, "broken", accounting_date=month, entity_ramp_id=entities[1],
         currency="EUR", amount_minor=990_000, label="Hetzner")  # fmt: skip
    item(connection, accounting_date=month, entity_ramp_id=uuid4(), label="Uline")
    item(connection, "lapsed", accounting_date=month, entity_ramp_id=entities[0])
    SyncItemFactory.create(
        connection=connection, object_type="bill", accounting_date=month, label="Digi-Key",
        entity_ramp_id=entities[0], invoice_number="INV-204", amount_minor=1_204_400,
        payable_on=now().date() + timedelta(days=2),
    )  # fmt: skip
    item(connection, accounting_date=month - timedelta(days=3))
    snapshots.take_of_period(connection=connection, period=month, entity_id=None, actor="hannah")
    later = item(connection, "acked", ready_at=_at(month, 3), object_type="cashback",
                 accounting_date=month + timedelta(days=3), amount_minor=1_500)  # fmt: skip
    october = [*map(line, booked), line(failed), line(failed, id=str(uuid4())),
               line(failed, id=str(uuid4()), cleared_at=None)]  # fmt: skip
    after = close_rules.month_after(month)
    charged = sum(one.amount_minor for one in booked) + failed.amount_minor + 7_700
    statement(
        connection, october, [section(charges=charged, entity=entities[0])], start=month, end=after
    )
    statement(
        connection, [line(later)], [section(credits_=1_500)],
        start=after, end=close_rules.month_after(after),
    )  # fmt: skip
    return connection


def asked() -> PeriodStamp:
    """Somebody wants to call a month clean although something is unsynced."""
    connection = _customer("asked", "Atelier Lumière")
    item(connection, "failed", accounting_date=period(), currency="EUR")
    return _stamp(connection, "ana", reason="Accrued by hand with voucher 77.")


def long_names() -> Connection:
    """One customer whose every name is as long as the database takes."""
    connection = _customer("long", LONG_NAME, owner="maya.okafor.of.the.night.shift")
    for _ in range(2):
        entity = EntityFactory.create(connection=connection, name=LONG_NAME).ramp_id
        one = item(connection, "failed", accounting_date=period(), entity_ramp_id=entity,
                   label=LONG_NAME, amount_minor=987_654_321_098_76,
                   error_title=f"{LONG_NAME} is inactive."[:300])  # fmt: skip
    _stamp(connection, "maya.okafor.of.the.night.shift", reason=LONG_NAME[:300])
    statement(
        connection, [line(one)], [section(charges=987_654_321_098_76)],
        start=period(), end=close_rules.month_after(period()),
    )  # fmt: skip
    return connection


def newest_statement() -> CardStatement:
    """The one of the month that is being closed."""
    return CardStatement.objects.get(start_date=period())


def _customer(slug: str, name: str, **shape: object) -> Connection:
    connection = ConnectionFactory.create(slug=slug, name=name, **shape)
    ScheduleFactory.create(connection=connection, posts_per_second=0.02)
    return connection


def _stamp(connection: Connection, actor: str, reason: str = "") -> PeriodStamp:
    return stamps.stamp(
        connection=connection,
        period=period(),
        entity_id=None,
        reason=reason,
        actor=actor,
        now=now(),
    )


def _at(month: date, day: int) -> datetime:
    moment = month + timedelta(days=day)
    return now().replace(year=moment.year, month=moment.month, day=moment.day)
