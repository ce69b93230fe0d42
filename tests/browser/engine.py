"""What the engine does at one customer by itself: pauses, lists, vendors, presses, findings."""

from datetime import timedelta

from connections.models import Connection
from syncing.models import SyncRequest
from tests.factories import (
    LONG_NAME,
    PauseFactory,
    PullCursorFactory,
    ReconciliationFactory,
    SyncItemFactory,
    SyncRequestFactory,
    SyncRunFactory,
    VendorCreationFactory,
    WebhookSubscriptionFactory,
    now,
)


def add(connection: Connection, *, name: str = "Figma") -> None:
    """All of it at once. `name` stands wherever somebody else chooses a name."""
    _pauses(connection, name)
    _lists(connection)
    _vendors(connection, name)
    _presses(connection)
    ReconciliationFactory.create(
        connection=connection,
        in_erp=397,
        ready_and_known=30,
        found={
            "booked_otherwise": 1,
            "late_files": 2,
            "not_announced": 1,
            "synced_outside": 3,
            "a_kind_of_tomorrow": 1,
        },
    )


def _pauses(connection: Connection, name: str) -> None:
    PauseFactory.create(connection=connection, object_type="transfer", automatic=True)
    reason = "Year-end audit until Monday, asked for by the controller."
    PauseFactory.create(
        connection=connection,
        object_type="reimbursement",
        reason=reason if name != LONG_NAME else (LONG_NAME * 3)[:300],
    )
    PauseFactory.create(connection=connection, object_type="bill", ended=True)


def _lists(connection: Connection) -> None:
    PullCursorFactory.create(connection=connection)
    PullCursorFactory.create(
        connection=connection,
        object_type="bill",
        problem="",
        pages=140,
        began_at=now() - timedelta(minutes=2),
    )
    WebhookSubscriptionFactory.create(connection=connection)
    for hours, missed in ((4, 0), (2, 3)):
        SyncRunFactory.create(
            connection=connection, unannounced=missed, started_at=now() - timedelta(hours=hours)
        )
    SyncRunFactory.create(
        connection=connection,
        trigger="manual",
        actor="maya.okafor",
        started_at=now() - timedelta(minutes=1),
        seen=14_212,
        new=31,
        changed=4,
    )


def _vendors(connection: Connection, name: str) -> None:
    stuck = VendorCreationFactory.create(connection=connection, name=name, stuck=True)
    VendorCreationFactory.create(
        connection=connection, name="Cloudflare", step="in_erp", error_title="Ramp did not answer."
    )
    words = f"Waits for the vendor {name} to be created in {connection.erp_name}."[:300]
    for _ in range(3):
        SyncItemFactory.create(
            connection=connection,
            label=name,
            due_at=None,
            blocked_by=f"vendor:{stuck.merchant_id}",
            error_title=words,
        )


def _presses(connection: Connection) -> SyncRequest:
    SyncRequestFactory.create(connection=connection, partial=True)
    press = SyncRequestFactory.create(
        connection=connection,
        requested=9,
        expected=640,
        succeeded=4,
        failed=1,
        first_ack_at=now() - timedelta(seconds=48),
        last_ack_at=now() - timedelta(seconds=5),
    )
    SyncItemFactory.create_batch(4, connection=connection, sync_request=press, acked=True)
    SyncItemFactory.create_batch(3, connection=connection, sync_request=press, label="GitHub")
    SyncItemFactory.create(connection=connection, sync_request=press, posting=True)
    SyncItemFactory.create(connection=connection, sync_request=press, failed=True)
    return press
