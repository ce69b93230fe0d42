"""The pages people live in, as addresses on the fleet at hand, each kind with many of them."""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

from django.test import Client
from django.urls import reverse

from connections.models import Connection
from syncing import close_rules
from syncing.models import ErrorGroup, SyncItem

OF_EACH = 40
"""Addresses of a kind: other items, customers and words each time."""
_POLLED = re.compile(r'hx-get="([^"]*[?&;]version=[^"]*)"')


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of page: the figure that it counts for, and addresses of it."""

    name: str
    figure: str
    addresses: Sequence[str]
    status: int = 200
    is_poll: bool = False
    """What is asked is whether the pages at these addresses have changed."""


class NotPolled(Exception):
    """A page that should be live does not ask for news of itself."""


def kinds(*, seed: int = 3) -> list[Kind]:
    """Every kind of page that is measured. The same choices on equal fleets.

    :raises django.urls.NoReverseMatch: if a page does not exist
    """
    chosen = _Choices(random.Random(seed))
    searches = [
        Kind(f"search {name}", "pages_search", addresses, status)
        for name, addresses, status in _searches(chosen)
    ]
    found = [*_lists(chosen), *_charts(chosen), *_items(chosen), *searches]
    live = ("customers", "items open", "customer", "item failed", "item acked", "errors", "error",
            "backlog")  # fmt: skip
    polls = [
        Kind(f"{kind.name}, unchanged", "pages_unchanged", kind.addresses[:3], 204, is_poll=True)
        for kind in found
        if kind.name in live
    ]
    return [*found, *polls]


def poll_of(client: Client, address: str) -> str:
    """What the page at this address asks to hear whether it has changed since.

    :raises NotPolled: if it does not
    """
    found = _POLLED.search(client.get(address).content.decode())
    if found is None:
        raise NotPolled(f"{address} asks for no news of itself")
    polled = unescape(found.group(1))
    return polled if not address.startswith(reverse("items")) else f"{polled}&shown="


class _Choices:
    """Rows of the fleet to look at, picked by chance and not by how they are stored."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._highest = SyncItem.objects.order_by("-pk").values_list("pk", flat=True)[0]
        busy = Connection.objects.order_by("created_at", "pk")
        self.customers = list(busy[:OF_EACH])
        self.groups = list(ErrorGroup.objects.order_by("fingerprint")[:OF_EACH])

    def items(self, **where: str) -> list[SyncItem]:
        """Items from everywhere in the fleet."""
        return [self._near(**where) for _ in range(OF_EACH)]

    def _near(self, **where: str) -> SyncItem:
        start = self._chance.randint(1, self._highest)
        items = SyncItem.objects.filter(**where).select_related("connection").order_by("pk")
        return items.filter(pk__gte=start).first() or items[:1].get()


def _lists(chosen: _Choices) -> Iterator[Kind]:
    customers, items = reverse("customers"), reverse("items")
    slugs = [one.slug for one in chosen.customers]

    def of(name: str, *addresses: str) -> Kind:
        return Kind(name, "pages_list", addresses)

    yield of("customers", customers)
    yield of("customers by ERP", f"{customers}?erp=netsuite")
    yield of("items open", f"{items}?state=open")
    yield of("items failed", f"{items}?state=waiting-for-customer")
    yield of("items of a customer", *(f"{items}?customer={slug}" for slug in slugs))
    yield of("items all of a customer", *(f"{items}?customer={slug}&state=all" for slug in slugs))
    yield of("items all", f"{items}?state=all")
    yield of("items of a merchant", f"{items}?q=figma", f"{items}?q=blue+harbor")
    yield of("customer", *(reverse("customer", args=[slug]) for slug in slugs))
    yield of("errors", reverse("errors"))
    yield of("error", *(reverse("error_group", args=[one.pk]) for one in chosen.groups))
    yield of("overview", reverse("overview"))
    yield of("items that waited for days", f"{items}?snoozed=shown&ready_to={_days_ago(3)}")
    yield of("items done on a day", f"{items}?state=all&done_from={_days_ago(30)}"
             f"&done_to={_days_ago(29)}")  # fmt: skip
    yield of("items failed lately", f"{items}?failed_from={_days_ago(1)}")


def _charts(chosen: _Choices) -> Iterator[Kind]:
    """The managers' pages."""
    slugs = [one.slug for one in chosen.customers]

    def of(name: str, *addresses: str) -> Kind:
        return Kind(name, "pages_charts", addresses)

    yield of("close board", reverse("close_board"))
    month = f"{close_rules.last_ended(datetime.now(UTC).date()):%Y-%m}"
    yield of("close month", *(reverse("close_month", args=[slug, month]) for slug in slugs))
    backlog = reverse("backlog")
    yield of("backlog", backlog)
    yield of("backlog of 400 days", f"{backlog}?period=400d&measure=amount")
    yield of("backlog by ERP", f"{backlog}?erp=NetSuite&period=30d")
    yield of("backlog of a customer", *(f"{backlog}?customer={slug}" for slug in slugs))
    yield of("backlog's customers by day", reverse("backlog_worst"))
    yield of("backlog's team", reverse("backlog_team"))


def _days_ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def _items(chosen: _Choices) -> Iterator[Kind]:
    for state in ("ACKED", "FAILED", "READY"):
        addresses = [reverse("item", args=[one.pk]) for one in chosen.items(state=state)]
        yield Kind(f"item {state.lower()}", "pages_item", addresses)


def _searches(chosen: _Choices) -> Iterator[tuple[str, Sequence[str], int]]:
    bills = chosen.items(object_type="bill")
    paid = chosen.items(object_type="transaction")
    rare = [item for item in paid if re.search(r" \d+$", item.label)] or paid

    def texts(of: Callable[[SyncItem], str], items: Sequence[SyncItem]) -> list[str]:
        return [_search(of(item)) for item in items]

    yield "by Ramp id", texts(lambda item: str(item.ramp_id), paid[:5]), 302
    yield "by invoice", texts(lambda item: f"{item.invoice_number[:6]}", bills), 200
    yield (
        "by invoice and customer",
        texts(lambda item: f"{item.invoice_number} {item.connection.name}", bills),
        200,
    )
    yield "by amount", texts(lambda item: str(item.money.decimal), paid), 200
    yield (
        "by amount and merchant",
        texts(lambda item: f"{item.label.split()[0]} {item.money.decimal}", paid),
        200,
    )
    yield "by card", texts(lambda item: f"•{item.card_last_four}", paid), 200
    yield (
        "by day and merchant",
        texts(lambda item: f"{item.accounting_date} {item.label.split()[0]}", paid),
        200,
    )
    yield "by a frequent word", [_search(text) for text in ("amazon", "seats", "okafor", "ub")], 200
    yield "by rare words", texts(lambda item: item.label, rare), 200
    yield (
        "by customer and merchant",
        texts(lambda item: f"{item.connection.name.split()[0]} {item.label.split()[0]}", paid),
        200,
    )
    yield "for nothing", [_search("zzyzx"), _search("amazon zzyzx"), _search("zzyzx 77.77")], 200
    yield (
        "while typing",
        [f"{reverse('search_suggestions')}?q={q}" for q in ("am", "blu", "4")],
        200,
    )


def _search(text: str) -> str:
    return f"{reverse('search')}?{urlencode({'q': text})}"
