"""A fleet as its managers see it: a week of work, some of it stuck, at customers of two ERPs."""

import math
from datetime import datetime, time, timedelta

from connections.models import Connection
from syncing.age_bands import BANDS
from syncing.backlog import folding
from syncing.backlog.sampling import add_up, sample
from syncing.classifier import ErrorCategory
from syncing.models import BacklogSample, CustomerDay, ErrorGroup, Handling, SampleRound, SyncItem
from syncing.queries.words import Party, Word
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    EntityFactory,
    PauseFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    now,
)

CUSTOMERS = (
    ("harbor-coffee", "Harbor Coffee Roasters", "Tryton", "ana.lopes", "USD", 2),
    ("northwind-robotics", "Northwind Robotics", "Tryton", "tomas.rivera", "USD", 2),
    ("atelier-lumiere", "Atelier Lumière", "NetSuite", "ana.lopes", "EUR", 2),
    ("sakura-foods", "Sakura Foods 株式会社", "NetSuite", "", "JPY", 0),
)
AGES = (0.2, 0.7, 2, 3, 9, 20, 30, 60, 100, 300)
"""Hours since items became ready: every band has some."""
CAUSES = (
    (ErrorCategory.USER_ACTIONABLE, "erp.period_closed",
     "The period October 2026 is closed in Tryton."),
    (ErrorCategory.NEEDS_INTEGRATOR, "erp.rejected_payload",
     "Tryton does not accept the document as we built it: it has no lines."),
    (ErrorCategory.USER_ACTIONABLE, "mapping.gl_account",
     "Tryton has no GL account called Old costs."),
)  # fmt: skip


def a_week() -> list[Connection]:
    """The whole fleet, with 400 days of samples."""
    customers = this_week()
    _past(customers)
    folding.fold()
    sample(now=now())
    return customers


def this_week() -> list[Connection]:
    """The fleet without a past: what its items tell by themselves."""
    customers = [_customer(*one) for one in CUSTOMERS]
    for number, connection in enumerate(customers):
        _, _, _, _, currency, exponent = CUSTOMERS[number]
        _waiting(connection, currency, exponent)
        _stuck(connection, number, currency, exponent)
        _done(connection, 12 + 9 * number, currency, exponent)
    EntityFactory.create(connection=customers[0], name="Harbor Coffee Europe", is_primary=False)
    PauseFactory.create(connection=customers[1], object_type="bill")
    _team()
    return customers


def one_point() -> None:
    """A fleet of which somebody has looked at the backlog once only."""
    connection = ScheduleFactory.create(
        connection=ConnectionFactory.create(slug="first", name="First Customer")
    ).connection
    SyncItemFactory.create_batch(3, connection=connection, ready_at=now() - timedelta(hours=6))


def long_names() -> None:
    """One customer, one owner and one error, all as long as they come, and very large sums."""
    connection = ScheduleFactory.create(
        connection=ConnectionFactory.create(
            slug="long", name=LONG_NAME, erp_name="E" * 60, owner="o" * 150
        )
    ).connection
    for currency in ("USD", "EUR", "GBP", "JPY", "KWD", "CHF"):
        SyncItemFactory.create_batch(
            2, connection=connection, currency=currency, amount_minor=10**14,
            failed=True, label=LONG_NAME, error_title="Verkehrsflächeninstandhaltung" * 9,
            ready_at=now() - timedelta(days=90),
        )  # fmt: skip
    for item in SyncItem.objects.all():
        Handling.objects.create(item=item, owner="o" * 150, owned_since=item.ready_at)
    CustomerDay.objects.create(
        connection=connection, day=now().date(), p95_open_seconds=90 * 86_400
    )


def _customer(
    slug: str, name: str, erp: str, owner: str, currency: str, exponent: int
) -> Connection:
    connection = ConnectionFactory.create(slug=slug, name=name, erp_name=erp, owner=owner)
    EntityFactory.create(connection=connection, name=f"{name} HQ", currency=currency)
    ScheduleFactory.create(connection=connection, erp_limit=2 if exponent == 0 else None)
    return connection


def _waiting(connection: Connection, currency: str, exponent: int) -> None:
    """Queued, retrying, at work, lapsed, reported: of every age something."""
    entity = connection.entities.order_by("pk")[0].ramp_id
    for place, hours in enumerate(AGES):
        SyncItemFactory.create(
            connection=connection, currency=currency, exponent=exponent, entity_ramp_id=entity,
            amount_minor=40_000 + 1_000 * place, ready_at=now() - timedelta(hours=hours),
            object_type="bill" if place % 3 == 0 else "transaction",
        )  # fmt: skip
    money = {"currency": currency, "exponent": exponent}
    SyncItemFactory.create(connection=connection, retrying=True, **money)
    # Longer than a test lasts, or the item would change its word between a number and its list.
    lease = now() + timedelta(hours=1)
    SyncItemFactory.create(connection=connection, posting=True, lease_until=lease, **money)
    SyncItemFactory.create(connection=connection, lapsed=True, **money)
    SyncItemFactory.create(connection=connection, posted=True, **money)


def _stuck(connection: Connection, number: int, currency: str, exponent: int) -> None:
    for place, (category, code, title) in enumerate(CAUSES):
        failed_at = now() - timedelta(minutes=7 + 50 * place)
        SyncItemFactory.create_batch(
            1 + number + place, connection=connection, failed=True, error_category=category,
            error_code=code, error_title=title, currency=currency, exponent=exponent,
            amount_minor=90_000 * (3 - place), ready_at=failed_at - timedelta(hours=11 * place),
            state_at=failed_at,
        )  # fmt: skip


def _done(connection: Connection, count: int, currency: str, exponent: int) -> None:
    for place in range(count):
        ready_at = now() - timedelta(hours=place * 1.7 + 0.1)
        SyncItemFactory.create(
            connection=connection, acked=True, ready_at=ready_at, currency=currency,
            exponent=exponent, attempts=1 if place % 4 else 3,
            acked_at=ready_at + timedelta(seconds=20 + 70 * (place % 9)),
        )  # fmt: skip


def _team() -> None:
    for name in ("ana.lopes", "tomas.rivera"):
        UserFactory.create(username=name, roles=["implementer"])
    for place, item in enumerate(SyncItem.objects.filter(state="FAILED").order_by("pk")[:9]):
        Handling.objects.create(
            item=item,
            owner="ana.lopes" if place % 3 else "tomas.rivera",
            owned_since=now() - timedelta(hours=3 * place + 1),
            snoozed_until=now() + timedelta(days=1) if place == 4 else None,
        )
    ErrorGroup.objects.filter(code="erp.rejected_payload").update(
        owner="ana.lopes",
        first_seen_at=now() - timedelta(days=20),
        resolved_at=now() - timedelta(days=9),
        regressed_at=now() - timedelta(hours=2),
    )
    ErrorGroup.objects.filter(code="erp.period_closed").update(owner="tomas.rivera")


def _past(customers: list[Connection]) -> None:
    """Samples of 400 days, closer together the newer they are, and how long customers waited."""
    today = now().replace(hour=0, minute=0, second=0, microsecond=0)
    hour = now().replace(minute=0, second=0, microsecond=0)
    moments = {today - timedelta(days=back) for back in range(1, 400)}
    moments |= {hour - timedelta(hours=back) for back in range(1, 72) if back not in (5, 6)}
    SampleRound.objects.bulk_create([SampleRound(at=at, has_customers=True) for at in moments])
    BacklogSample.objects.bulk_create(
        [line for at in sorted(moments) for line in _samples(at, customers)], batch_size=2000
    )
    add_up(min(moments), max(moments))
    CustomerDay.objects.bulk_create(
        [
            CustomerDay(
                connection=connection,
                day=(today - timedelta(days=back)).date(),
                open_items=10 + back,
                p95_open_seconds=600 * (1 + (back * (number + 3)) % 11) ** (1 + number / 2),
            )
            for number, connection in enumerate(customers)
            for back in range(14)
            if (back, number) != (6, 2)
        ]
    )


def _samples(at: datetime, customers: list[Connection]) -> list[BacklogSample]:
    wave = 1 + math.sin(at.timestamp() / 26_000)
    lines = []
    for number, connection in enumerate(customers):
        _, _, erp, owner, currency, exponent = CUSTOMERS[number]
        for band in range(len(BANDS)):
            items = int((5 - band) * (2 + number) * wave + 2 + band)
            common = {
                "at": at, "object_type": "transaction", "word": Word.QUEUED, "party": Party.US,
                "band": band, "currency": currency, "exponent": exponent, "items": items,
                "amount_minor": items * 41_000,
            }  # fmt: skip
            lines.append(BacklogSample(erp_name=erp, owner=owner, **common))
            if at.time() == time():
                lines.append(BacklogSample(connection=connection, **common))
    return lines
