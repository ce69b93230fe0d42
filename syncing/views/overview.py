"""Are we keeping up, where is it stuck, and whose move is it?"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.charts import Part, Rect, stacked_bar
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow
from syncing.queries import customer_list, flow, standing
from syncing.queries.words import PARTY_LABELS, Party, type_label
from syncing.views.live import live, version_of

SHOWN_CUSTOMERS = 6
PARTY_TONES = {
    Party.US: "move-us",
    Party.CUSTOMER: "move-customer",
    Party.ERP: "move-erp",
    Party.RAMP: "move-ramp",
}


@dataclass(frozen=True, slots=True)
class Share:
    """One party's share of the backlog."""

    label: str
    tone: str
    items: int


@dataclass(frozen=True, slots=True)
class TypeShare:
    """What is open of one type of object."""

    object_type: str
    label: str
    items: int
    sums: Sequence[Money]


@require_GET
@allow(Permission.SEE)
def overview(request: HtmxHttpRequest) -> HttpResponse:
    now = timezone.now()
    customers = customer_list.first(SHOWN_CUSTOMERS, sort=customer_list.BY_RISK, now=now)
    oldest = customer_list.first(1, sort="oldest", now=now)
    fleet = customer_list.totals()
    lines = standing.standings(now=now, only_open=True)
    open_lines = [line for line in lines if standing.is_open(line)]
    queues = standing.queues_of(lines)
    pace = flow.flow(now=now)
    latency = flow.latency(now=now)
    shares = _shares(lines)
    context = {
        "section": "overview",
        "now": now,
        "queues": queues,
        "open_items": sum(queue.items for queue in queues),
        "open_sums": standing.sums(open_lines),
        "oldest": oldest[0] if oldest and oldest[0].oldest_at else None,
        "shares": shares,
        "share_bar": _bar(shares),
        "queue_bar": stacked_bar(
            [Part(queue.look.label, queue.items, queue.look.tone) for queue in queues]
        ),
        "types": _by_type(open_lines),
        "flow": pace,
        "chart": pace.chart(),
        "latency": latency,
        "customers": customers,
        "customer_count": fleet.customers,
        "in_trouble": fleet.in_trouble,
        "checked_at": customer_list.last_read_at(),
    }
    version = version_of(
        [(queue.word, queue.items, queue.sums) for queue in queues],
        [(line.party, line.items) for line in lines],
        [(row.connection.pk, row.health, row.oldest_at) for row in customers],
        pace,
        latency and (latency.items, latency.median),
    )
    return live(
        request, "syncing/overview.html", "syncing/_overview.html", version=version, context=context
    )


def _by_type(lines: Sequence[standing.Standing]) -> list[TypeShare]:
    """The types of which anything is open, the one with most items first."""
    shares = [
        TypeShare(
            object_type,
            f"{type_label(object_type)}s",
            sum(line.items for line in mine),
            standing.sums(mine),
        )
        for object_type in sorted({line.object_type for line in lines})
        if (mine := [line for line in lines if line.object_type == object_type])
    ]
    return sorted(
        (share for share in shares if share.items), key=lambda one: (-one.items, one.label)
    )


def _shares(lines: Sequence[standing.Standing]) -> list[Share]:
    counts = standing.by_party(lines)
    return [Share(PARTY_LABELS[party], tone, counts[party]) for party, tone in PARTY_TONES.items()]


def _bar(shares: Sequence[Share]) -> list[Rect]:
    return stacked_bar([Part(share.label, share.items, share.tone) for share in shares])
