"""The facts from which the steps of connecting a customer follow."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from connections.models import (
    Chore,
    Connection,
    Credential,
    CustomField,
    Entity,
    FieldOption,
    HealthCheck,
    LedgerAccount,
    Mirror,
    PostingProfile,
    Vendor,
    WebhookSubscription,
)
from connections.upkeep import chores
from connections.upkeep.onboarding import NOTHING, Facts, Progress, Side, Wish
from rampbridge.lib.together import together
from syncing.models import ItemCount, SyncItem
from syncing.states import ItemState


def facts(connection: Connection) -> Facts:
    """What is true of a customer now. Six statements."""
    of_it = Q(connection=connection)
    checks, secrets, mirrors, subscriptions, profiles = together(
        HealthCheck.objects.filter(of_it),
        Credential.objects.filter(of_it).only("side"),
        Mirror.objects.filter(of_it),
        WebhookSubscription.objects.filter(of_it).only("status"),
        PostingProfile.objects.filter(of_it).exclude(card_liability_account="").only("pk")[:1],
    )
    sides = {row.side: row for row in checks}
    credentials = {row.side for row in secrets}
    webhooks = {row.status for row in subscriptions}
    mirror: Mirror | None = next(iter(mirrors), None)
    wishes = chores.newest(connection)
    entities = Entity.objects.filter(of_it).aggregate(
        all=Count("pk"), mapped=Count("pk", filter=Q(is_mapped=True))
    )
    found = ItemCount.objects.filter(of_it).aggregate(
        all=Sum("items", default=0),
        through=Sum("items", filter=Q(state=ItemState.ACKED), default=0),
    )
    return Facts(
        erp_name=connection.erp_name,
        label=connection.ramp_provider_name,
        has_ramp_credentials=Credential.Side.RAMP in credentials,
        has_erp_credentials=Credential.Side.ERP in credentials,
        ramp=_side(sides.get(Credential.Side.RAMP)),
        erp=_side(sides.get(Credential.Side.ERP)),
        check=_wish(wishes, Chore.Kind.CHECK),
        seat=_wish(wishes, Chore.Kind.SEAT),
        webhook=_wish(wishes, Chore.Kind.WEBHOOK),
        go_live=_wish(wishes, Chore.Kind.GO_LIVE),
        new_ramp_credentials=_wish(wishes, Chore.Kind.CREDENTIAL, Credential.Side.RAMP),
        new_erp_credentials=_wish(wishes, Chore.Kind.CREDENTIAL, Credential.Side.ERP),
        has_seat=connection.ramp_connection_id is not None,
        is_being_prepared=mirror is not None and mirror.is_being_prepared,
        entities=entities["all"],
        entities_mapped=entities["mapped"],
        chart=_chart(connection, mirror),
        has_posting_accounts=bool(profiles),
        webhook_is_active=WebhookSubscription.Status.ACTIVE in webhooks,
        webhook_is_pending=WebhookSubscription.Status.PENDING in webhooks,
        is_live=connection.stage in (Connection.Stage.LIVE, Connection.Stage.PAUSED),
        synced=found["through"],
        found=found["all"],
    )


def first_synced(connection: Connection) -> SyncItem | None:
    """The first object that went all the way."""
    through = SyncItem.objects.filter(connection=connection, state=ItemState.ACKED)
    return through.order_by("state_at", "pk").first()


def _side(row: HealthCheck | None) -> Side:
    if row is None:
        return Side()
    return Side(is_known=True, is_ok=row.is_ok, title=row.title, fix=row.fix, about=row.about)


def _wish(wishes: Mapping[tuple[str, str], Chore], kind: Chore.Kind, about: str = "") -> Wish:
    chore = wishes.get((kind, about))
    if chore is None:
        return NOTHING
    return Wish(
        is_under_way=chore.state == Chore.State.WANTED,
        is_refused=chore.state == Chore.State.REFUSED,
        title=chore.title,
        fix=chore.fix,
    )


def _chart(connection: Connection, mirror: Mirror | None) -> Progress:
    """By records, not by batches: what the ERP has to offer, and how much of it Ramp has."""
    parts: list[QuerySet[Any, Any]] = []
    for model in (LedgerAccount, CustomField, FieldOption, Vendor):
        wanted = Q(is_active=True, gone_at=None)
        if model is LedgerAccount:
            wanted &= Q(is_postable=True)
        if model is Vendor:
            wanted &= Q(merged_into="")
        mine = model.objects.filter(wanted, connection=connection).order_by()
        counted = mine.values("connection").annotate(
            read=Count("pk"),
            uploaded=Count("ramp_id"),
            refused=Count("pk", filter=Q(ramp_id=None) & ~Q(refusal="")),
        )
        parts.append(counted.values_list("read", "uploaded", "refused"))
    counts = list(parts[0].union(*parts[1:], all=True))
    read, uploaded, refused = (sum(line[at] for line in counts) for at in range(3))
    return Progress(
        read=read,
        uploaded=uploaded,
        refused=refused,
        is_read=mirror is not None and mirror.last_full_at is not None,
        problem=mirror.blocked_title if mirror is not None else "",
        fix=mirror.blocked_fix if mirror is not None else "",
    )
