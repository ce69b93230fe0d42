"""The last comparison of Ramp, us and the ERP: what it covered, what it found, and which items."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from syncing import findings
from syncing.card_bills import EXPENSE_TWICE
from syncing.models import ItemEvent, Reconciliation, SyncItem

WINDOW = timedelta(days=35)
SETTLED = timedelta(hours=1)
"""What is compared with the ERP was posted within the window, and not just now."""
_NAME = re.compile(r"(\d{1,18})\.([a-z_]{1,40})")


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of finding: its words, how it looks, and the lines it leaves on timelines."""

    words: str
    tone: str
    icon: str
    lines: Q | None = None


_KINDS: Mapping[str, _Kind] = {
    "booked_otherwise": _Kind(
        "booked otherwise in the ERP",
        "person",
        "equal-not",
        Q(kind="reconciled", data__code=findings.BOOKED_OTHERWISE),
    ),
    "changed_in_ramp": _Kind(
        "changed in Ramp after posting",
        "person",
        "equal-not",
        Q(kind="reconciled", data__code=findings.CHANGED_IN_RAMP),
    ),
    "expense_twice": _Kind(
        "booked as an expense, and with a bill too",
        "person",
        "equal-not",
        Q(kind="reconciled", data__code=EXPENSE_TWICE),
    ),
    "unreported": _Kind(
        "in the ERP, and Ramp was not told yet",
        "customer",
        "hourglass",
        Q(kind="reconciled", text__startswith="It has been in the ERP as "),
    ),
    "synced_outside": _Kind(
        "synced in Ramp by somebody else",
        "neutral",
        "external-link",
        Q(kind="external", text=findings.SYNCED_OUTSIDE),
    ),
    "renumbered": _Kind(
        "renumbered in the ERP",
        "neutral",
        "pencil",
        Q(kind="reconciled", text__startswith="The ERP has renumbered it "),
    ),
    "not_announced": _Kind("ready in Ramp and not known to us", "neutral", "flag"),
    "reported_again": _Kind("reported to Ramp again", "done", "check-check"),
    "late_files": _Kind("receipts that came late", "neutral", "file-text"),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one comparison found of one kind."""

    kind: str
    words: str
    tone: str
    icon: str
    items: int
    link: str
    """The value of the items list's `found`; empty where the items cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison of one customer, as its page shows it."""

    run: Reconciliation
    findings: Sequence[Finding]

    @property
    def is_running(self) -> bool:
        return self.run.finished_at is None

    @property
    def coverage(self) -> float | None:
        """Percent of what Ramp calls ready that we knew already."""
        run = self.run
        return 100 * run.ready_and_known / run.ready_in_ramp if run.ready_in_ramp else None


@dataclass(frozen=True, slots=True)
class Found:
    """The items behind one finding of one comparison, for lists."""

    words: str
    at: datetime
    where: Q


def last_comparison(connection_id: uuid.UUID) -> Comparison | None:
    """The newest comparison, which may be going on."""
    run = Reconciliation.objects.filter(connection_id=connection_id).order_by("-started_at").first()
    if run is None:
        return None
    found = [_finding(run, kind, items) for kind, items in run.found.items()]
    order = list(_KINDS)
    found.sort(key=lambda one: order.index(one.kind) if one.kind in order else len(order))
    return Comparison(run, found)


def _finding(run: Reconciliation, name: str, items: int) -> Finding:
    kind = _KINDS.get(name) or _Kind(name.replace("_", " "), "neutral", "info")
    has_items = kind.lines is not None or name == "not_announced"
    link = f"{run.pk}.{name}" if has_items else ""
    return Finding(name, kind.words, kind.tone, kind.icon, items, link)


def found_items(text: str) -> Found | None:
    """The items that a link of `Finding` names; None for nonsense."""
    match = _NAME.fullmatch(text)
    run = Reconciliation.objects.filter(pk=int(match[1])).first() if match else None
    if match is None or run is None or run.finished_at is None or match[2] not in _KINDS:
        return None
    kind, mine = _KINDS[match[2]], Q(connection_id=run.connection_id)
    if match[2] == "not_announced":
        arrived = Q(
            arrived_by=SyncItem.Arrival.RECONCILE,
            ready_at__gte=run.started_at,
            ready_at__lte=run.finished_at,
        )
        return Found(kind.words, run.started_at, mine & arrived)
    if kind.lines is None:
        return None
    lines = ItemEvent.objects.filter(
        kind.lines,
        kind__in=["reconciled", "external"],
        at__gte=run.started_at,
        at__lte=run.finished_at,
    )
    return Found(kind.words, run.started_at, mine & Q(pk__in=lines.values("item_id")))
