"""How many SQL statements each page takes. With many rows behind them: `./run bench B16`."""

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from connections.models import AlertChannel, Connection, LedgerAccount
from migrations_tool import services
from migrations_tool.steps import Path, Step
from syncing.closing import snapshots
from syncing.models import Alert, AlertRule, CardStatement, Incident, WebhookEvent
from tests.factories import (
    AckBatchFactory,
    ConnectionFactory,
    ItemEventFactory,
    ItemPayloadFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    SyncItemFactory,
    SyncRequestFactory,
    SyncRunFactory,
    UserFactory,
    WebhookSubscriptionFactory,
    now,
)

pytestmark = pytest.mark.django_db

MOST = 12
NO_PAGES = {
    "ramp_webhook": "a machine posts there",
    "healthz": "for machines",
    "readyz": "for machines",
    "public_status": "cached, and open to all",
    "mirror_run": "needs an upload; as chart_run in test_views_chart",
    "chart_field": "needs a field of the chart",
    "vendor_links": "needs links under way",
    "vendor": "needs a vendor on three sides",
    "mapping_revision": "needs a revision",
    "mapping_progress": "needs a revision",
    "change_view": "needs a view",
    "view_count": "needs a view",
    "onboarding_entities": "the customer is connected already",
    "decide": "needs a record of the chart",
    "edit_mapping": "needs something to map",
    "withdraw_ruling": "an act that looks for its ruling first",
    "job_new": "needs items that are ticked",
    "job": "needs a job",
    "job_csv": "needs a job",
    "migration_share": "needs a link to a customer",
    "migration_hypercare_report": "needs a closing report",
    "migration_hypercare_report_file": "needs a closing report",
    "migration_backup_archive": "needs a backup",
    "migration_backup_codings": "needs a backup",
    "migration_mapping_record": "needs a record of the old chart",
    "migration_rehearsal_object": "needs a rehearsal",
    "migration_rehearsal_report": "needs a rehearsal",
    "migration_inventory_csv": "needs a counted inventory",
    "migration_screenshot": "needs a picture",
}
"""Addresses that the visit leaves out, and why."""


def addresses() -> Iterator[tuple[str, list[str]]]:
    """Every address of ours by its name, with the names of what stands in it."""

    def below(patterns: list[Any], start: str) -> Iterator[tuple[str, list[str]]]:
        for one in patterns:
            where = start + str(one.pattern)
            if isinstance(one, URLResolver):
                yield from below(one.url_patterns, where)
            elif isinstance(one, URLPattern) and one.name and not where.startswith(FOREIGN):
                yield one.name, list(one.pattern.converters)

    yield from below(get_resolver().url_patterns, "")


MIGRATION_ROWS = (
    "waiver", "link", "canary", "bill", "rule", "record", "rehearsed", "evidence", "picture",
)  # fmt: skip
"""What addresses of a migration's steps name; most are acts."""

FOREIGN = ("accounts/", "api/")
"""Sign-in is a library's; the API has its own tests."""


@pytest.fixture
def visitor(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["admin"]))
    return client


@pytest.fixture
def known() -> dict[str, Any]:
    """One of everything that addresses name."""
    connection = ConnectionFactory.create()
    ScheduleFactory.create(connection=connection)
    items = [SyncItemFactory.create(connection=connection, failed=True) for _ in range(20)]
    for item in items:
        ItemPayloadFactory.create(item=item)
        ItemEventFactory.create(item=item)
    LedgerAccountFactory.create(connection=connection)
    assert LedgerAccount.objects.exists()
    subscription = WebhookSubscriptionFactory.create(connection=connection)
    event = WebhookEvent.objects.create(
        event_id="e-1",
        subscription=subscription,
        connection=connection,
        event_type="transactions.ready_to_sync",
        raw=b"{}",
        received_at=now(),
    )
    incident = Incident.objects.create(
        erp_kind="ledger",
        erp_name="Tryton",
        fingerprint=items[0].error_fingerprint,
        title="It is closed.",
        opened_at=now(),
        customers=3,
    )
    migration = services.start(
        ConnectionFactory.create(), path=Path.MIGRATION, actor="maya", now=now()
    )
    return {
        "slug": connection.slug,
        **{name: {"pk": migration.pk} for name, _ in addresses() if name.startswith("migration")},
        "migration_act": {"pk": migration.pk, "step": Step.PRELOAD, "act": "undo"},
        "step": Step.PLAN,
        **dict.fromkeys(MIGRATION_ROWS, 1),
        "token": "t",
        "role": "implementer",
        "object_type": "bill",
        "fingerprint": items[0].error_fingerprint,
        "side": "erp",
        "chart": "age",
        "item": {"pk": items[0].pk},
        "item_drawer": {"pk": items[0].pk},
        "item_attempts": {"pk": items[0].pk},
        "item_bundle": {"pk": items[0].pk},
        "handle_item": {"pk": items[0].pk},
        "reveal_payloads": {"pk": items[0].pk},
        "press": {"pk": SyncRequestFactory.create(connection=connection).pk},
        "report": {"pk": AckBatchFactory.create(connection=connection).pk},
        "run": {"pk": SyncRunFactory.create(connection=connection).pk},
        "webhook_event": {"pk": event.pk},
        "incident": {"pk": incident.pk},
        **_alert_rows(connection),
        **_close_rows(connection),
        "number": 1,
        "pk": 1,
        "item_pk": items[0].pk,
        "act": "adopt",
        "name": "erp",
        "what": "erp",
        "batch": uuid4(),
        "key": "x",
    }


def _close_rows(connection: Connection) -> dict[str, Any]:
    october = date(2026, 10, 1)
    snapshot = snapshots.take_of_period(
        connection=connection, period=october, entity_id=None, actor="maya"
    )
    made = CardStatement.objects.create(
        connection=connection, ramp_id=uuid4(), start_date=october, end_date=date(2026, 11, 1),
        body={"id": str(uuid4()), "start_date": "2026-10-01T00:00:00Z",
              "end_date": "2026-11-01T00:00:00Z"}, seen_at=now(),
    )  # fmt: skip
    rows = {name: {"pk": made.pk} for name in ("statement", "statement_csv")}
    return rows | {"close_snapshot": {"name": snapshot.name}, "month": "2026-11"}


def _alert_rows(connection: Connection) -> dict[str, Any]:
    rule = AlertRule.objects.earliest("pk")
    channel = AlertChannel.objects.create(name="Ops", kind="email", addresses=["a@example.com"])
    rule.channels.add(channel)
    alert = Alert.objects.create(
        rule=rule, connection=connection, severity="page", opened_at=now(), seen_at=now(),
        value=1, worst=1, title="It is wrong.", why="It is.", first_step="Look.", link="/",
    )  # fmt: skip
    rows = {"alert": alert.pk, "alert_rule": rule.pk, "alert_channel": channel.pk}
    return {name: {"pk": pk} for name, pk in rows.items()}


def test_of_every_page_are_few(visitor: Client, known: dict[str, Any]) -> None:
    counted: dict[str, int] = {}
    missed: dict[str, int] = {}
    for name, needed in dict(addresses()).items():
        if name in NO_PAGES:
            continue
        rows = known.get(name)
        where = rows if isinstance(rows, dict) else {}  # a page may be named as what stands in one
        url = _reversed(name, {one: where.get(one, known.get(one)) for one in needed})
        answer = visitor.get(url)
        if answer.status_code == 405:
            continue  # nobody looks at it: it is an act
        with CaptureQueriesContext(database) as statements:
            answer = visitor.get(url)
        if answer.status_code in {200, 302}:
            counted[name] = len(statements)
        else:
            missed[name] = answer.status_code

    for step in Step:
        url = reverse("migration_step", args=[known["migration_step"]["pk"], step])
        with CaptureQueriesContext(database) as statements:
            assert visitor.get(url).status_code == 200
        counted[f"migration_step {step}"] = len(statements)

    assert not missed, f"say what to visit there, or why not: {missed}"
    over = {name: number for name, number in counted.items() if number > MOST}
    assert not over, f"more than {MOST} statements: {over}"


def _reversed(name: str, what: dict[str, Any]) -> str:
    try:
        return reverse(name, kwargs=what)
    except Exception:  # noqa: BLE001  another number where the address wants another kind of it
        return reverse(name, kwargs=what | {"pk": uuid4()})
