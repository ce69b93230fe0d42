"""A week at the error desk: causes in every state, at several customers, some with long names."""

from datetime import timedelta
from typing import Any

from connections.models import Connection
from syncing.classifier import ErrorCategory
from syncing.error_desk import acts, judging
from syncing.error_desk.acts import Snooze
from syncing.error_desk.judging import Wish
from syncing.models import AckBatch, ErrorCount, ErrorGroup, Occurrence, SyncItem
from tests.factories import (
    LONG_NAME,
    AckBatchFactory,
    ConnectionFactory,
    CustomFieldFactory,
    ScheduleFactory,
    SyncItemFactory,
    UserFactory,
    now,
)

CLOSED = "erp.period_closed"
MONTHS = ("March 2026", "April 2026", "5 May 2026")


def a_week() -> list[Connection]:
    """Three customers; a closed period is the group to look at."""
    for name in ("ana.lopes", "tomas.rivera"):
        UserFactory.create(username=name, roles=["implementer"])
    customers = [
        ScheduleFactory.create(connection=ConnectionFactory.create(slug=slug, name=name)).connection
        for slug, name in (
            ("northwind-robotics", "Northwind Robotics"),
            ("harbor-coffee", "Harbor Coffee Roasters"),
            ("sakura-foods", "Sakura Foods 株式会社"),
        )
    ]
    CustomFieldFactory.create(connection=customers[0])
    _closed_periods(customers)
    _missing_accounts(customers[0])
    _of_ours(customers[1])
    _resolved(customers[0])
    _snoozed(customers[2])
    return customers


def group_path(code: str = CLOSED) -> str:
    """Where the page of a code's group is."""
    return f"/errors/{ErrorGroup.objects.filter(code=code).earliest('first_seen_at').pk}/"


def long_week() -> None:
    """One customer and one error, both as long as they come."""
    connection = ScheduleFactory.create(
        connection=ConnectionFactory.create(slug="long", name=LONG_NAME)
    ).connection
    title = "Ramp's record of this item has a form that rampbridge does not know, for the word " + (
        "Verkehrsflächeninstandhaltungsgesellschaft" * 4
    )
    _failed(
        connection, 3, title[:300], code="ramp.unreadable", category="needs_integrator",
        blocked_by="mapping.GL account:" + "9" * 150, amount_minor=10**13, label=LONG_NAME,
        error_fix="", error_text=f"{title[:300]} Contact support and quote RB-7K3Q.",
    )  # fmt: skip
    UserFactory.create(username="a" * 120, roles=["support"])
    group = ErrorGroup.objects.get()
    acts.assign(group, "a" * 120, actor="maya.okafor")
    acts.comment(group, LONG_NAME * 5, actor="a" * 120)


def _closed_periods(customers: list[Connection]) -> None:
    for place, connection in enumerate(customers):
        for month, count in zip(MONTHS, (9, 4, 2), strict=True):
            fix = (
                "Reopen the period in Tryton, or change the accounting date in Ramp."
                " It then goes through by itself."
            )
            title = f"Tryton has no open period for {month}."
            batch = AckBatchFactory.create(
                connection=connection,
                outcome=AckBatch.Outcome.FAILURE,
                closed_at=now() - timedelta(hours=3),
                trace_id="7f1c9ad2e0b34c55",
            )
            _failed(
                connection, count, title, amount_minor=412_000 + place, error_fix=fix,
                error_text=f"{title} {fix}", failure_batch=batch,
                blocked_by=f"{CLOSED}:2026-0{3 + place}",
                currency="JPY" if place == 2 else "USD", exponent=0 if place == 2 else 2,
            )  # fmt: skip
    group = ErrorGroup.objects.get(code=CLOSED)
    acts.assign(group, "ana.lopes", actor="maya.okafor")
    acts.comment(
        group,
        "Their controller reopens March on Monday; April stays closed.\nAsked for the dates.",
        actor="ana.lopes",
    )
    _was_seen(group, days=6)


def _missing_accounts(connection: Connection) -> None:
    for name, cause, count in (("Old costs", "legacy-77", 31), ("Journeys", "legacy-61", 6)):
        title = f"Tryton has no GL account called {name}."
        fix = "Choose another GL account in Ramp, or ask us to map this one."
        _failed(
            connection, count, title, code="mapping.gl_account", amount_minor=39_677,
            error_origin="data", error_fix=fix, error_text=f"{title} {fix}",
            blocked_by=f"mapping.GL account:{cause}",
        )  # fmt: skip


def _of_ours(connection: Connection) -> None:
    title = "Tryton does not accept the document as we built it: it has no lines."
    _failed(
        connection, 2, title, code="erp.rejected_payload", category="needs_integrator",
        error_origin="us", error_fix="", amount_minor=8_250_00,
        error_text=f"{title} Something went wrong.",
    )  # fmt: skip
    group = ErrorGroup.objects.get(code="erp.rejected_payload")
    _was_seen(group, days=20)
    ErrorGroup.objects.filter(pk=group.pk).update(
        resolved_at=now() - timedelta(days=9), regressed_at=now() - timedelta(hours=2)
    )
    ruled = _failed(
        connection, 1, "Tryton answered with something we do not know.", code="erp.unknown",
        category="needs_integrator", error_fix="",
    )  # fmt: skip
    unknown = ErrorGroup.objects.get(pk=_fingerprint(ruled[0]))
    fix = "Open the fiscal year in Tryton."
    judging.rule(
        unknown,
        Wish(ErrorCategory.USER_ACTIONABLE, "It says that the year is missing.", fix),
        before="needs_integrator",
        actor="tomas.rivera",
    )


def _resolved(connection: Connection) -> None:
    items = _failed(connection, 2, "Tryton's books of the year are closed.", code=CLOSED)
    proof = SyncItemFactory.create(connection=connection, acked=True, label="Figma")
    pk = _fingerprint(items[0])
    SyncItem.objects.filter(pk__in=[item.pk for item in items]).update(state="WITHDRAWN")
    ErrorGroup.objects.filter(pk=pk).update(
        resolved_at=now() - timedelta(days=4), resolved_by_item=proof
    )


def _snoozed(connection: Connection) -> None:
    items = _failed(
        connection, 3, "A vendor is not active in Tryton.", code="erp.vendor_inactive",
        amount_minor=99_000, currency="JPY", exponent=0,
    )  # fmt: skip
    group = ErrorGroup.objects.get(pk=_fingerprint(items[0]))
    snooze = Snooze("They merge their vendors this week.", until_freed=True)
    acts.snooze(group, snooze, actor="maya.okafor", now=now())


def _failed(
    connection: Connection,
    count: int,
    title: str,
    *,
    code: str = CLOSED,
    category: str = "user_actionable",
    **changes: Any,
) -> list[SyncItem]:
    items: list[SyncItem] = SyncItemFactory.create_batch(
        count,
        connection=connection,
        failed=True,
        error_code=code,
        error_title=title[:300],
        error_category=category,
        **{"ready_at": now() - timedelta(hours=30), **changes},
    )
    for number, item in enumerate(items):
        at = now() - timedelta(hours=number % 23, minutes=7)
        Occurrence.objects.filter(item=item).update(
            first_at=at - timedelta(days=number % 9), last_at=at
        )
    return items


def _was_seen(group: ErrorGroup, *, days: int) -> None:
    ErrorGroup.objects.filter(pk=group.pk).update(first_seen_at=now() - timedelta(days=days))
    seen = now() - timedelta(minutes=12)
    ErrorCount.objects.filter(fingerprint=group.pk).update(last_seen_at=seen)


def _fingerprint(item: SyncItem) -> str:
    item.refresh_from_db()
    return str(item.error_fingerprint)
