"""Connections as their settings page shows them: well, ill, half set up, with very long names."""

from datetime import timedelta

from connections import secrets
from connections.clients import SCOPES
from connections.models import (
    Chore,
    Connection,
    Credential,
    HealthCheck,
    Mirror,
    RampToken,
    Switch,
)
from syncing.models import Schedule
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    EntityFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    VendorFactory,
    WebhookSubscriptionFactory,
    now,
)


def well(slug: str = "settings-well", name: str = "Northwind Robotics") -> Connection:
    """Everything is granted, switched as wanted, and was looked at an hour ago."""
    connection = ConnectionFactory.create(
        slug=slug, name=name, owner="maya.okafor", time_zone="America/Chicago"
    )
    ScheduleFactory.create(connection=connection, posts_per_second=4.2)
    _credentials(connection, scopes=SCOPES)
    for side, about in (("ramp", name), ("erp", f"{name} Inc. · 8.0.3")):
        HealthCheck.objects.create(
            connection=connection, side=side, is_ok=True, about=about[:200],
            checked_at=now() - timedelta(hours=1), ok_at=now() - timedelta(hours=1),
            due_at=now() + timedelta(hours=5),
        )  # fmt: skip
    _switch(connection, Switch.Name.VENDOR_CREDITS, wanted=True, found=True)
    _switch(connection, Switch.Name.VENDOR_CREATION, wanted=False, found=False)
    for switch in (Switch.Name.ENTITY_SELECTION, Switch.Name.TRANSACTION_BUTTON,
                   Switch.Name.REIMBURSEMENT_BUTTON):  # fmt: skip
        _switch(connection, switch, wanted=None, found=False)
    WebhookSubscriptionFactory.create(connection=connection)
    _done(connection, Chore.Kind.SEAT, "Ramp shows “Tryton by rampbridge” as linked.")
    return connection


def ill(slug: str = "settings-ill", name: str = "Verde Clinics") -> Connection:
    """The seat is another's, a scope is missing, a switch was turned in Ramp, one was refused."""
    connection = well(slug, name)
    Schedule.objects.filter(connection=connection).update(posts_per_second=0.4)
    RampToken.objects.filter(connection=connection).update(
        scopes=" ".join(one for one in SCOPES if one not in ("bills:read", "vendors:write"))
    )
    HealthCheck.objects.filter(connection=connection, side="ramp").update(
        is_ok=False,
        title=f"QuickBooks Online is {name}'s active accounting connection in Ramp. It is a direct"
        " one, which Ramp runs itself."[:300],
        fix="Start a migration instead of a fresh connection: the two then change places on a day"
        " that is agreed, and no coding is lost.",
        ok_at=now() - timedelta(days=2),
    )
    Credential.objects.filter(connection=connection, side="erp").update(
        expires_at=now() + timedelta(days=6)
    )
    Switch.objects.filter(connection=connection, name=Switch.Name.VENDOR_CREDITS).update(
        found=False, drifted_at=now() - timedelta(hours=7)
    )
    _refused(
        connection, Chore.Kind.SWITCH, Switch.Name.TRANSACTION_BUTTON,
        "The button was not switched on.",
        "Tryton takes 0.4 documents a second, so 212 transactions take up to 13 min 20 s.",
    )  # fmt: skip
    Switch.objects.filter(connection=connection, name=Switch.Name.TRANSACTION_BUTTON).update(
        wanted=True, wanted_by="maya.okafor", wanted_at=now()
    )
    _refused(
        connection, Chore.Kind.CREDENTIAL, "erp",
        "These credentials lead to the company Verde Labs, not to Verde Clinics Inc.",
        "Documents of one customer must not land in two companies. The old ones stay in use.",
    )  # fmt: skip
    return connection


def half_way(slug: str = "onboarding-half", name: str = "Blue Mesa Solar") -> Connection:
    """Connected in Ramp, its chart on the way, its two entities not mapped yet."""
    connection = well(slug, name)
    Connection.objects.filter(pk=connection.pk).update(stage=Connection.Stage.SETTING_UP)
    Mirror.objects.create(connection=connection)
    EntityFactory.create(connection=connection, name=f"{name} West")
    EntityFactory.create(connection=connection, name=f"{name} East", is_primary=False)
    for number in range(6):
        LedgerAccountFactory.create(
            connection=connection, code=f"61{number}0", ramp_id=None, name=f"{name} {number}"[:300]
        )
    LedgerAccountFactory.create(
        connection=connection, code="2150", name="Ramp card clearing", classification="LIABILITY"
    )
    VendorFactory.create(connection=connection, name="Uline")
    connection.refresh_from_db()
    return connection


def all_of_them() -> list[Connection]:
    """Each of them once, and each with the longest of names."""
    return [
        well(),
        ill(),
        half_way(),
        ill("settings-long", LONG_NAME),
        half_way("onboarding-long", LONG_NAME),
        ConnectionFactory.create(
            slug="settings-nothing", name="Sakura Foods 株式会社", stage="setting_up",
            ramp_connection_id=None, ramp_business_id=None,
        ),
    ]  # fmt: skip


def _credentials(connection: Connection, *, scopes: tuple[str, ...]) -> None:
    for side, hint in (("ramp", "…9f3c"), ("erp", "rampbridge")):
        secrets.keep_credential(connection, Credential.Side(side), {"password": "hush"}, hint=hint)
    RampToken.objects.create(
        connection=connection, sealed=b"sealed", scopes=" ".join(scopes),
        minted_at=now() - timedelta(days=3), expires_at=now() + timedelta(days=7),
    )  # fmt: skip


def _switch(
    connection: Connection, name: Switch.Name, *, wanted: bool | None, found: bool | None
) -> None:
    Switch.objects.create(
        connection=connection, name=name, wanted=wanted, found=found, found_at=now(),
        wanted_by="" if wanted is None else "maya.okafor",
        wanted_at=None if wanted is None else now() - timedelta(days=3),
    )  # fmt: skip


def _done(connection: Connection, kind: Chore.Kind, title: str) -> None:
    Chore.objects.create(
        connection=connection, kind=kind, state=Chore.State.DONE, actor="maya.okafor",
        title=title, due_at=None, done_at=now(), trace_id="trace-1",
    )  # fmt: skip


def _refused(connection: Connection, kind: Chore.Kind, about: str, title: str, fix: str) -> None:
    Chore.objects.create(
        connection=connection, kind=kind, about=about, state=Chore.State.REFUSED, due_at=None,
        actor="maya.okafor", title=title, fix=fix, done_at=now(),
    )  # fmt: skip
