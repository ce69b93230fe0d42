"""Charts that differ on both sides in every way, for pages."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from connections.models import (
    Connection,
    CustomField,
    DriftDecision,
    Mirror,
    MirrorRun,
    TaxCode,
    TaxRate,
    UploadBatch,
)
from syncing.models import SyncItem
from tests import spend
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    CustomFieldFactory,
    FieldOptionFactory,
    ItemPayloadFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    SyncItemFactory,
    VendorFactory,
    now,
)


def customer(slug: str = "harbor-coffee", **values: Any) -> Connection:
    """A customer whose chart is mirrored, with nothing in it yet."""
    defaults = {"name": "Harbor Coffee Roasters", "time_zone": "America/New_York"}
    connection: Connection = ScheduleFactory.create(
        connection=ConnectionFactory.create(slug=slug, **defaults | values)
    ).connection
    mirror_of(connection)
    return connection


def mirror_of(connection: Connection, **values: Any) -> Mirror:
    """Its mirror, which works: read two minutes ago, uploaded half an hour ago."""
    defaults: dict[str, Any] = {
        "read_due_at": now() + timedelta(minutes=13),
        "full_due_at": now() + timedelta(hours=9),
        "push_due_at": now() + timedelta(minutes=12),
        "verify_due_at": now() + timedelta(hours=10),
        "last_read_at": now() - timedelta(minutes=2),
        "last_full_at": now() - timedelta(hours=15),
        "last_push_at": now() - timedelta(minutes=48),
        "last_verified_at": now() - timedelta(hours=14),
    }
    mirror, _ = Mirror.objects.update_or_create(connection=connection, defaults=defaults | values)
    return mirror


def confirmed(**values: Any) -> dict[str, Any]:
    """What Ramp confirmed an hour ago; the ERP's side changed a little later."""
    return {
        "ramp_confirmed_at": now() - timedelta(hours=1),
        "changed_at": now() - timedelta(minutes=20),
        **values,
    }


def used(connection: Connection, *codings: dict[str, Any], times: int = 1, **values: Any) -> None:
    """Items that are coded so and not synced yet."""
    for _ in range(times):
        item: SyncItem = SyncItemFactory.create(connection=connection, failed=True, **values)
        ItemPayloadFactory.create(
            item=item, ramp={"line_items": [spend.line(100, "USD", *codings)]}
        )


def drifting(slug: str = "harbor-coffee", *, name: str = "") -> Connection:
    """A customer at whom everything differs that can. `name` stands for all names from outside."""
    connection = customer(slug)
    _accounts(connection, name)
    _options(connection, name)
    _others(connection, name)
    _history(connection, name)
    used(connection, spend.account("6999"), times=37, amount_minor=4210)
    used(connection, spend.selection("OTHER", "fld", field="department"), times=2)
    return connection


def _accounts(connection: Connection, name: str) -> None:
    def account(code: str, title: str, **values: Any) -> None:
        LedgerAccountFactory.create(
            connection=connection, erp_id=code, code=code, name=name or title, **values
        )

    account("6100", "Travel", ramp_name="Travel", **confirmed(changed_at=_days(40)))
    account("6200", "Software and subscriptions", ramp_name=name[:40] or "Software", **confirmed())
    account("6700", "Training", ramp_id=None, changed_at=_days(0.01))
    account("6999", "Old projects", is_active=False, **confirmed(changed_at=_days(3)))
    account("6950", "Old fleet", **confirmed(gone_at=_days(6)))
    account("6300", "Meals", ramp_name="Food", **confirmed(changed_at=_days(30)))
    account(
        "6800",
        "Bank charges",
        ramp_id=None,
        refusal="The code 6800 is another account's in Ramp already.",
        refusal_field="code",
        refused_content="x",
        refused_at=now(),
    )


def _options(connection: Connection, name: str) -> None:
    department: CustomField = CustomFieldFactory.create(
        connection=connection,
        name=name[:300] or "Department",
        ramp_display_name="Department",
        **confirmed(changed_at=_days(40)),
    )

    def option(erp_id: str, title: str, **values: Any) -> None:
        FieldOptionFactory.create(
            field=department, erp_id=erp_id, code=erp_id.upper(), name=name or title, **values
        )

    option("eng", "Engineering", **confirmed(changed_at=_days(40)))
    option("fld", "Field sales", is_active=False, **confirmed(changed_at=_days(1)))
    option("ops", "Operations", ramp_is_hidden=True, **confirmed())
    option("lab", "Laboratory", ramp_id=None)


def _others(connection: Connection, name: str) -> None:
    VendorFactory.create(
        connection=connection,
        erp_id="V-100",
        code="V-100",
        name=name or "Ecolab Inc.",
        merged_into="V-200",
        **confirmed(changed_at=_days(2)),
    )
    VendorFactory.create(
        connection=connection, erp_id="V-200", code="V-200", name=name or "Ecolab", **confirmed()
    )
    TaxRate.objects.create(
        connection=connection, erp_id="t19", name=name or "VAT 19 %", rate="0.19"
    )
    TaxCode.objects.create(
        connection=connection, erp_id="c19", name=name or "Full", rate_erp_ids=["t19"]
    )
    DriftDecision.objects.create(
        connection=connection,
        kind="account",
        erp_id="6950",
        action="leave",
        actor="maya.okafor",
        reason=name[:300] or "The auditors still need it.",
    )


def _history(connection: Connection, name: str) -> None:
    done = _run(
        connection,
        hours=1,
        seen={"account": {"read": 41, "new": 0, "changed": 1, "gone": 0, "kept_back": 0}},
        sent={"account": {"change": 1}, "vendor": {"create": 1204}},
    )
    _batch(connection, done, "account", "change", size=1, taken=1, state="done")
    _batch(connection, done, "vendor", "create", size=500, taken=500, state="done")
    _batch(
        connection,
        done,
        "vendor",
        "create",
        size=500,
        taken=499,
        refused=1,
        calls=10,
        state="partly",
        detail=name or "options[17].name: String should have at most 200 characters",
    )
    _run(
        connection,
        hours=5,
        state="failed",
        trigger="person",
        actor="maya.okafor",
        title=f"{connection.erp_name} does not answer."[:300],
        fix="It is asked again by itself.",
    )
    running = _run(connection, hours=0, state="running", finished_at=None)
    _batch(
        connection, running, "option", "create", size=500, taken=120, state="sending", trace_id=""
    )


def _run(connection: Connection, *, hours: float, **values: Any) -> MirrorRun:
    begun = now() - timedelta(hours=hours, minutes=1)
    defaults: dict[str, Any] = {
        "trigger": "schedule",
        "state": "done",
        "finished_at": begun + timedelta(seconds=14),
    }
    run = MirrorRun.objects.create(connection=connection, **defaults | values)
    MirrorRun.objects.filter(pk=run.pk).update(started_at=begun)
    run.refresh_from_db()
    return run


def _batch(
    connection: Connection, run: MirrorRun, kind: str, action: str, **values: Any
) -> UploadBatch:
    defaults: dict[str, Any] = {
        "calls": 1,
        "content": "0" * 64,
        "trace_id": uuid4().hex,
        "finished_at": None
        if values["state"] == "sending"
        else run.started_at + timedelta(seconds=2),
    }
    batch = UploadBatch.objects.create(
        connection=connection, run=run, kind=kind, action=action, **defaults | values
    )
    UploadBatch.objects.filter(pk=batch.pk).update(started_at=run.started_at)
    return batch


def _days(number: float) -> datetime:
    return now() - timedelta(days=number)


def stopped(slug: str = "verde-clinics") -> Connection:
    """A customer whose mirror is blocked, and set to uploads by hand."""
    connection = customer(slug, name="Verde Clinics")
    LedgerAccountFactory.create(connection=connection, erp_id="6100", ramp_id=None)
    mirror_of(
        connection,
        is_automatic=False,
        failures=3,
        blocked_at=now() - timedelta(hours=2),
        blocked_code="ramp.read_only",
        blocked_title="Another program is connected to this customer's Ramp.",
        blocked_fix="Ask the customer to disconnect it in Ramp. Then upload again.",
    )
    return connection


def long_names() -> Connection:
    """A chart whose every name is as long as the database takes."""
    return drifting("long", name=(LONG_NAME * 3)[:300])
