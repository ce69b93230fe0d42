"""Rows for tests, with only what matters spelt out by the test."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import factory
from django.contrib.auth.models import Group, User
from django.utils import timezone

from connections.models import (
    Connection,
    CustomField,
    Entity,
    FieldOption,
    LedgerAccount,
    RampVendor,
    Vendor,
    VendorChange,
    VendorCreation,
    VendorLink,
    WebhookSubscription,
)
from syncing.models import (
    AckBatch,
    Attachment,
    ItemEvent,
    ItemPayload,
    Pause,
    PullCursor,
    Reconciliation,
    Schedule,
    SyncItem,
    SyncRequest,
    SyncRun,
)
from syncing.states import ItemState

PASSWORD = "correct horse battery staple"

LONG_NAME = (
    "Internationale Gesellschaft für Verkehrsflächeninstandhaltung und "
    "Landschaftsgestaltungsdienstleistungen Süd mbH & Co. KGaA"
)


def now() -> datetime:
    """The clock, for rows whose times matter only relative to it."""
    return timezone.now()


class UserFactory(factory.django.DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"person-{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@example.com")
    password = factory.django.Password(PASSWORD)

    @factory.post_generation
    def roles(self, create: bool, names: list[str] | None, **_: Any) -> None:
        if create and names:
            self.groups.set(  # type: ignore[attr-defined]
                [Group.objects.get_or_create(name=name)[0] for name in names]
            )


class ConnectionFactory(factory.django.DjangoModelFactory[Connection]):
    class Meta:
        model = Connection

    slug = factory.Sequence(lambda n: f"customer-{n}")
    name = factory.Sequence(lambda n: f"Customer {n}")
    stage = Connection.Stage.LIVE
    ramp_business_id = factory.LazyFunction(uuid4)
    ramp_connection_id = factory.LazyFunction(uuid4)
    ramp_provider_name = "Tryton by rampbridge"
    erp_kind = "ledger"
    erp_name = "Tryton"


class ScheduleFactory(factory.django.DjangoModelFactory[Schedule]):
    class Meta:
        model = Schedule

    connection = factory.SubFactory(ConnectionFactory)
    next_poll_at = factory.LazyFunction(lambda: now() + timedelta(minutes=30))
    last_poll_at = factory.LazyFunction(lambda: now() - timedelta(minutes=3))
    last_posted_at = factory.LazyFunction(lambda: now() - timedelta(minutes=12))
    last_acked_at = factory.LazyFunction(lambda: now() - timedelta(minutes=11))


class EntityFactory(factory.django.DjangoModelFactory[Entity]):
    class Meta:
        model = Entity

    connection = factory.SubFactory(ConnectionFactory)
    ramp_id = factory.LazyFunction(uuid4)
    name = "Headquarters"
    currency = "USD"
    is_primary = True


class LedgerAccountFactory(factory.django.DjangoModelFactory[LedgerAccount]):
    class Meta:
        model = LedgerAccount

    connection = factory.SubFactory(ConnectionFactory)
    erp_id = factory.Sequence(lambda n: str(100 + n))
    code = "6200"
    name = "Software"
    classification = "EXPENSE"
    ramp_id = factory.LazyFunction(uuid4)
    ramp_name = factory.LazyAttribute(lambda row: row.name if row.ramp_id else "")
    ramp_code = factory.LazyAttribute(lambda row: row.code if row.ramp_id else "")
    ramp_is_active = factory.LazyAttribute(lambda row: row.ramp_id is not None)


class CustomFieldFactory(factory.django.DjangoModelFactory[CustomField]):
    class Meta:
        model = CustomField

    connection = factory.SubFactory(ConnectionFactory)
    erp_id = "department"
    name = "Department"
    ramp_id = factory.LazyFunction(uuid4)
    ramp_name = factory.LazyAttribute(lambda row: row.name if row.ramp_id else "")
    ramp_is_active = factory.LazyAttribute(lambda row: row.ramp_id is not None)


class FieldOptionFactory(factory.django.DjangoModelFactory[FieldOption]):
    class Meta:
        model = FieldOption

    field = factory.SubFactory(CustomFieldFactory)
    connection = factory.SelfAttribute("field.connection")
    erp_id = factory.Sequence(lambda n: f"option-{n}")
    code = "ENG"
    name = "Engineering"
    ramp_id = factory.LazyFunction(uuid4)
    ramp_name = factory.LazyAttribute(lambda row: row.name if row.ramp_id else "")
    ramp_code = factory.LazyAttribute(lambda row: row.code if row.ramp_id else "")
    ramp_is_active = factory.LazyAttribute(lambda row: row.ramp_id is not None)


class VendorFactory(factory.django.DjangoModelFactory[Vendor]):
    class Meta:
        model = Vendor
        django_get_or_create = ("connection", "erp_id")

    connection = factory.SubFactory(ConnectionFactory)
    erp_id = factory.Sequence(lambda n: f"vendor-{n}")
    name = "GitHub, Inc."
    code = ""
    ramp_id = factory.LazyFunction(uuid4)
    ramp_name = factory.LazyAttribute(lambda row: row.name if row.ramp_id else "")
    ramp_code = factory.LazyAttribute(lambda row: row.code if row.ramp_id else "")
    ramp_is_active = factory.LazyAttribute(lambda row: row.ramp_id is not None)


class RampVendorFactory(factory.django.DjangoModelFactory[RampVendor]):
    class Meta:
        model = RampVendor

    connection = factory.SubFactory(ConnectionFactory)
    ramp_id = factory.LazyFunction(uuid4)
    name = "GitHub"
    country = "US"
    spend_minor = 1_250_000
    spend_currency = "USD"
    seen_at = factory.LazyFunction(now)


class VendorLinkFactory(factory.django.DjangoModelFactory[VendorLink]):
    class Meta:
        model = VendorLink

    ramp_vendor = factory.SubFactory(RampVendorFactory)
    connection = factory.SelfAttribute("ramp_vendor.connection")
    erp_id = "12"
    evidence = "same name"
    actor = "maya"


class VendorChangeFactory(factory.django.DjangoModelFactory[VendorChange]):
    class Meta:
        model = VendorChange

    connection = factory.SubFactory(ConnectionFactory)
    vendor_erp_id = "12"
    field = "bank"
    before = "…4421"
    after = "…9007"
    digest = "new"


class SyncItemFactory(factory.django.DjangoModelFactory[SyncItem]):
    """An item in any state, with what the database demands of that state."""

    class Meta:
        model = SyncItem

    connection = factory.SubFactory(ConnectionFactory)
    object_type = SyncItem.ObjectType.TRANSACTION
    ramp_id = factory.LazyFunction(uuid4)
    label = "GitHub"
    person = "Maya Okafor"
    accounting_date = date(2026, 11, 20)
    amount_minor = 12_345
    state = ItemState.READY
    ready_at = factory.LazyFunction(lambda: now() - timedelta(minutes=5))
    state_at = factory.SelfAttribute("ready_at")
    due_at = factory.LazyFunction(now)
    seen_ready_at = factory.SelfAttribute("ready_at")
    snapshot_at = factory.SelfAttribute("ready_at")
    content_hash = "0" * 64

    class Params:
        posting = factory.Trait(
            state=ItemState.POSTING,
            lease_token=factory.LazyFunction(uuid4),
            lease_until=factory.LazyFunction(lambda: now() + timedelta(minutes=1)),
            may_be_in_erp_until=factory.LazyFunction(lambda: now() + timedelta(minutes=3)),
            attempts=1,
        )
        lapsed = factory.Trait(
            state=ItemState.POSTING,
            lease_token=factory.LazyFunction(uuid4),
            lease_until=factory.LazyFunction(lambda: now() - timedelta(seconds=20)),
            may_be_in_erp_until=factory.LazyFunction(lambda: now() + timedelta(seconds=100)),
            attempts=1,
        )
        posted = factory.Trait(
            state=ItemState.POSTED,
            erp_id=factory.Sequence(lambda n: str(5000 + n)),
            erp_number=factory.Sequence(lambda n: f"RAMP-{5000 + n}"),
            posted_at=factory.LazyAttribute(lambda item: item.ready_at + timedelta(seconds=2)),
            attempts=1,
        )
        acked = factory.Trait(
            posted=True,
            state=ItemState.ACKED,
            acked_at=factory.LazyAttribute(lambda item: item.ready_at + timedelta(seconds=9)),
            state_at=factory.SelfAttribute("acked_at"),
        )
        failed = factory.Trait(
            state=ItemState.FAILED,
            attempts=1,
            error_category="user_actionable",
            error_origin="erp",
            error_code="erp.period_closed",
            error_title="The period October 2026 is closed in Tryton.",
            error_fix=(
                "Reopen the period in Tryton, or change the accounting date in Ramp."
                " It then goes through by itself."
            ),
            error_text=(
                "The period October 2026 is closed in Tryton. Reopen the period in Tryton, or"
                " change the accounting date in Ramp. It then goes through by itself."
            ),
            error_detail="PeriodClosedError: account.period,4 is in state 'closed'",
            error_at=factory.SelfAttribute("state_at"),
            failure_telling=SyncItem.Telling.TOLD,
        )
        retrying = factory.Trait(
            attempts=2,
            error_category="transient",
            error_origin="erp",
            error_code="erp.unavailable",
            error_title="Tryton did not answer.",
            error_detail="503 Service Unavailable",
            error_at=factory.SelfAttribute("state_at"),
            due_at=factory.LazyFunction(lambda: now() + timedelta(minutes=4)),
        )
        broken = factory.Trait(
            failed=True,
            error_category="needs_integrator",
            error_origin="us",
            error_code="us.unknown",
            error_title="We could not post this card transaction.",
            error_fix="",
            error_text="We could not post this. Contact support and quote RB-7K3Q.",
            error_detail="UserError: The domain on field 'Party' is not valid.",
        )


class ItemPayloadFactory(factory.django.DjangoModelFactory[ItemPayload]):
    class Meta:
        model = ItemPayload

    item = factory.SubFactory(SyncItemFactory)
    ramp = factory.LazyAttribute(lambda payload: transaction_json(payload.item))
    document = factory.LazyAttribute(lambda payload: document_json(payload.item))


class ItemEventFactory(factory.django.DjangoModelFactory[ItemEvent]):
    class Meta:
        model = ItemEvent

    item = factory.SubFactory(SyncItemFactory)
    at = factory.SelfAttribute("item.ready_at")
    kind = ItemEvent.Kind.READY


class SyncRunFactory(factory.django.DjangoModelFactory[SyncRun]):
    class Meta:
        model = SyncRun

    connection = factory.SubFactory(ConnectionFactory)
    trigger = SyncRun.Trigger.POLL
    started_at = factory.LazyFunction(now)
    finished_at = factory.SelfAttribute("started_at")


class PauseFactory(factory.django.DjangoModelFactory[Pause]):
    class Meta:
        model = Pause

    connection = factory.SubFactory(ConnectionFactory)
    object_type = "bill"
    reason = "Year-end audit until Monday, asked for by the controller."
    paused_at = factory.LazyFunction(lambda: now() - timedelta(hours=2))
    paused_by = "hannah"

    class Params:
        automatic = factory.Trait(
            is_automatic=True,
            paused_by="",
            reason="25 in a row were refused for the same reason: The party has no account.",
            canary_due_at=factory.LazyFunction(lambda: now() + timedelta(minutes=20)),
            canaries=2,
        )
        ended = factory.Trait(
            resumed_at=factory.LazyFunction(lambda: now() - timedelta(hours=1)),
            resumed_by="maya",
            resumed_because="The controller has signed.",
        )


class PullCursorFactory(factory.django.DjangoModelFactory[PullCursor]):
    class Meta:
        model = PullCursor

    connection = factory.SubFactory(ConnectionFactory)
    object_type = "transfer"
    problem = "Ramp does not let us read transfers: the scope transfers:read is missing."


class VendorCreationFactory(factory.django.DjangoModelFactory[VendorCreation]):
    class Meta:
        model = VendorCreation

    connection = factory.SubFactory(ConnectionFactory)
    merchant_id = factory.LazyFunction(lambda: str(uuid4()))
    name = "Figma"
    due_at = factory.LazyFunction(now)

    class Params:
        stuck = factory.Trait(
            due_at=None,
            error_category="user_actionable",
            error_code="vendor.several",
            error_title="Tryton has several vendors called Figma.",
            error_fix="Choose one of them on the transaction in Ramp. It then goes through.",
        )


class WebhookSubscriptionFactory(factory.django.DjangoModelFactory[WebhookSubscription]):
    class Meta:
        model = WebhookSubscription

    connection = factory.SubFactory(ConnectionFactory)
    status = WebhookSubscription.Status.ACTIVE
    last_event_at = factory.LazyFunction(lambda: now() - timedelta(minutes=1))


class SyncRequestFactory(factory.django.DjangoModelFactory[SyncRequest]):
    """A press of the sync button, a minute old unless it says otherwise."""

    class Meta:
        model = SyncRequest

    connection = factory.SubFactory(ConnectionFactory)
    sync_request_id = factory.LazyFunction(uuid4)
    object_type = "transaction"
    received_at = factory.LazyFunction(lambda: now() - timedelta(minutes=1))
    stop_at = factory.LazyAttribute(lambda press: press.received_at + timedelta(minutes=4))
    ends_at = factory.LazyAttribute(lambda press: press.received_at + timedelta(minutes=5))
    pulled_at = factory.LazyAttribute(lambda press: press.received_at + timedelta(seconds=2))

    class Params:
        partial = factory.Trait(
            state=SyncRequest.State.PARTIAL,
            received_at=factory.LazyFunction(lambda: now() - timedelta(hours=3)),
            requested=1000,
            expected=640,
            succeeded=702,
            failed=18,
            not_started=280,
            first_ack_at=factory.LazyAttribute(lambda p: p.received_at + timedelta(seconds=9)),
            last_ack_at=factory.LazyAttribute(lambda p: p.received_at + timedelta(seconds=252)),
            closed_at=factory.SelfAttribute("last_ack_at"),
        )


class ReconciliationFactory(factory.django.DjangoModelFactory[Reconciliation]):
    class Meta:
        model = Reconciliation

    connection = factory.SubFactory(ConnectionFactory)
    started_at = factory.LazyFunction(lambda: now() - timedelta(hours=8))
    finished_at = factory.LazyAttribute(lambda run: run.started_at + timedelta(minutes=2))
    in_ramp = 412
    items = 398
    in_erp = 398
    ready_in_ramp = 31
    ready_and_known = 31


class AttachmentFactory(factory.django.DjangoModelFactory[Attachment]):
    class Meta:
        model = Attachment

    item = factory.SubFactory(SyncItemFactory)
    connection = factory.SelfAttribute("item.connection")
    source = factory.LazyFunction(lambda: str(uuid4()))
    created_at = factory.LazyFunction(now)
    due_at = factory.LazyFunction(now)

    class Params:
        attached = factory.Trait(
            state=Attachment.State.ATTACHED,
            name=factory.LazyAttribute(lambda file: f"Receipt {file.item.label}.pdf"[:200]),
            size=148_213,
            attempts=1,
            due_at=None,
            erp_id="77",
            attached_at=factory.LazyFunction(now),
        )
        failed = factory.Trait(
            state=Attachment.State.FAILED,
            attempts=1,
            due_at=None,
            error_title="The file is larger than Tryton takes.",
            error_fix="Attach a smaller one in Ramp, or attach this one in Tryton by hand.",
            error_detail="31457280 bytes; 20971520 are the most.",
        )


class AckBatchFactory(factory.django.DjangoModelFactory[AckBatch]):
    class Meta:
        model = AckBatch

    connection = factory.SubFactory(ConnectionFactory)
    sync_type = "TRANSACTION_SYNC"
    outcome = AckBatch.Outcome.SUCCESS
    state = AckBatch.State.ACCEPTED
    key = factory.LazyFunction(uuid4)
    body = b"{}"
    size = 1
    created_at = factory.LazyFunction(now)
    due_at = factory.SelfAttribute("created_at")
    sync_id = factory.LazyFunction(lambda: str(uuid4()))
    trace_id = factory.LazyFunction(lambda: uuid4().hex[:16])


def transaction_json(item: SyncItem) -> dict[str, Any]:
    """A transaction as Ramp shows it, with what pages read of it."""
    return {
        "id": str(item.ramp_id),
        "amount": str(item.money.decimal),
        "currency_code": item.currency,
        "minor_unit_conversion_rate": 10**item.exponent,
        "merchant_name": item.label,
        "memo": item.memo or None,
        "state": "CLEARED",
        "sync_status": "SYNC_READY",
        "accounting_date": f"{item.accounting_date}T00:00:00+00:00",
        "user_transaction_time": datetime(2026, 11, 19, 14, 12, tzinfo=UTC).isoformat(),
        "card_holder": {"user_id": str(uuid4()), "first_name": "Maya", "last_name": "Okafor"},
        "line_items": [
            {
                "amount": {"amount": item.amount_minor, "currency_code": item.currency},
                "accounting_field_selections": [
                    {"name": "Software", "external_id": "6200", "type": "GL_ACCOUNT"},
                    {
                        "name": "Engineering",
                        "external_id": "eng",
                        "external_code": "ENG",
                        "type": "OTHER",
                        "category_info": {"name": "Department", "type": "OTHER"},
                    },
                ],
            }
        ],
    }


def document_json(item: SyncItem, *, expense: str = "6200", card: str = "2150") -> dict[str, Any]:
    """A balanced journal of two lines, as it is frozen."""

    def line(account: str, sign: int, memo: str) -> dict[str, Any]:
        return {
            "account": account,
            "amount": str(sign * item.money.decimal),
            "memo": memo,
            "dimensions": {"department": "eng"} if sign > 0 else {},
            "tax_code": "",
            "tax_amount": None,
            "party": "",
            "applies_to": None,
            "applies_to_id": "",
        }

    return {
        "ref": {"tenant": item.connection.slug, "kind": "journal", "ramp_id": str(item.ramp_id)},
        "kind": "journal",
        "posting_date": str(item.accounting_date),
        "currency": item.currency,
        "lines": [line(expense, 1, item.label), line(card, -1, "Ramp card")],
        "party": "",
        "number": "",
        "due": None,
        "bank_account": "",
        "exchange_rate": None,
        "memo": item.memo,
        "url": "",
        "entity": "",
    }
