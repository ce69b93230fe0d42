"""A customer's chart: whether it is mirrored into Ramp, and where both sides differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from connections import queries as connection_queries
from connections.mirror import plan
from connections.mirror.diff import KINDS
from connections.mirror.plan import DriftCount, DriftRow
from connections.models import Connection, DriftDecision, Mirror, ReferenceKind
from connections.queries import ReferenceCount
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow, can
from syncing.impact import Impact, Named, impacts
from syncing.queries import mirroring
from syncing.queries.words import Look
from syncing.views.live import live, version_of

SHOWN = 50
_ALWAYS_SHOWN = (ReferenceKind.ACCOUNT, ReferenceKind.FIELD, ReferenceKind.VENDOR)

_LOOKS: Mapping[str, Look] = {
    plan.ADDED: Look("New", "work", "arrow-right"),
    plan.RENAMED: Look("Changed", "work", "pencil"),
    plan.CLOSED: Look("Closed", "customer", "ban"),
    plan.GONE: Look("Gone", "customer", "circle-slash"),
    plan.REOPENED: Look("Reopened", "work", "undo-2"),
    plan.REFUSED: Look("Refused", "person", "octagon-alert"),
    plan.CHANGED_IN_RAMP: Look("Changed in Ramp", "retry", "user-pen"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A kind or a way of differing to choose, with how many records it holds."""

    value: str
    label: str
    records: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One record that differs, with what hangs on it and what will happen."""

    drift: DriftRow
    impact: Impact | None
    """None where nothing can be coded with it."""

    @property
    def look(self) -> Look:
        return _LOOKS.get(self.drift.what, Look(self.drift.what.capitalize(), "neutral", "list"))

    @property
    def kind_label(self) -> str:
        return str(ReferenceKind(self.drift.kind).label)

    @property
    def title(self) -> str:
        return f"{self.drift.code} {self.drift.name}".strip()

    @property
    def may_be_decided(self) -> bool:
        """Whether Ramp offers what the ERP no longer has: hide, deactivate or leave."""
        return self.drift.what in (plan.CLOSED, plan.GONE) or self.drift.decision is not None

    @property
    def is_decided(self) -> bool:
        return self.drift.decision is not None

    @property
    def waits_for_person(self) -> bool:
        return self.drift.needs_decision

    @property
    def outcome(self) -> str:
        """What the next upload does about it; nothing if it does nothing."""
        drift = self.drift
        if drift.what == plan.REFUSED or drift.needs_decision:
            return ""
        if drift.decision is not None:
            is_left = drift.decision.action == DriftDecision.Action.LEAVE
            return "" if is_left else "Deactivated"
        match drift.what:
            case plan.ADDED:
                return "Created"
            case plan.REOPENED:
                return "Shown again" if drift.kind == ReferenceKind.OPTION else "Reactivated"
            case plan.RENAMED:
                return "Changed"
            case plan.CHANGED_IN_RAMP:
                return "Set back"
            case _:
                return "Hidden"


@require_GET
@allow(Permission.SEE)
def chart(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Whether the mirror works, and one page of what differs."""
    now = timezone.now()
    connection = mirrored_customer(slug)
    kind, what = _chosen(request, "kind", KINDS), _chosen(request, "what", plan.WHAT)
    text = request.GET.get("q", "").strip().replace("\0", "")
    after = request.GET.get("after", "")
    found = plan.drift(
        connection, kind=kind, what=what, text=text, after=after or None, limit=SHOWN + 1
    )
    counts = plan.drift_counts(connection)
    lines = _lines(connection, found[:SHOWN])
    mirror: Mirror = connection.mirror
    reference = connection_queries.reference_counts(connection.pk)
    context = {
        **frame(request, connection, now),
        "lines": lines,
        "next": found[SHOWN - 1].cursor if len(found) > SHOWN else "",
        "is_first": not after,
        "kind": kind,
        "what": what,
        "text": text,
        "is_narrowed": bool(kind or what or text),
        "kinds": _kind_tabs(counts, kind),
        "ways": _way_tabs(counts, kind, what),
        "differing": sum(one.count for one in counts),
        "undecided": sum(one.undecided for one in counts),
        "refused": sum(one.count for one in counts if one.what == plan.REFUSED),
        "reference": reference,
        "strangers": strangers(mirror),
    }
    version = version_of(
        _facts(mirror, now),
        counts,
        [(one.drift, one.impact) for one in lines],
        [decision.decided_at for one in lines if (decision := one.drift.decision)],
        reference,
    )
    return live(
        request, "syncing/chart.html", "syncing/_chart.html", version=version, context=context
    )


def chart_summary(
    connection: Connection,
    reference: Sequence[ReferenceCount],
    drifting: Sequence[DriftCount],
    now: datetime,
) -> dict[str, Any]:
    """What a customer's page says of its chart."""
    mirror = getattr(connection, "mirror", None)
    return {
        "mirror": mirror,
        "mirror_look": mirror_look(mirror, now) if mirror else None,
        "reference": [one for one in reference if one.wanted or one.kind in _ALWAYS_SHOWN],
        "drifting": sum(one.count for one in drifting),
        "undecided": sum(one.undecided for one in drifting),
        "refused": sum(one.count for one in drifting if one.what == plan.REFUSED),
    }


def mirrored_customer(slug: str) -> Connection:
    """The customer of that name, with its mirror; one that never had any gets an idle one.

    :raises Http404: if there is none
    """
    found = Connection.objects.filter(slug=slug).select_related("mirror").first()
    if found is None:
        raise Http404("no customer of that name")
    if not hasattr(found, "mirror"):
        found.mirror = Mirror(connection=found)
    return found


def frame(request: HttpRequest, connection: Connection, now: datetime) -> dict[str, Any]:
    """What all pages about the chart show."""
    mirror: Mirror = connection.mirror
    return {
        "section": "customers",
        "tab": "chart",
        "now": now,
        "connection": connection,
        "mirror": mirror,
        "look": mirror_look(mirror, now),
        "is_at_work": mirroring.is_at_work(mirror, now),
        "may_upload": can(request.user, Permission.UPLOAD)
        and connection.stage != Connection.Stage.CLOSED,
    }


def strangers(mirror: Mirror) -> list[str]:
    """Records that Ramp offers and the ERP lacks, as in `3 vendors`; when Ramp was last read."""
    return [
        f"{count:,} {_noun(kind, count)}"
        for kind in KINDS
        if (count := mirror.strangers.get(kind, 0))
    ]


def _noun(kind: str, count: int) -> str:
    noun = str(ReferenceKind(kind).label) if count == 1 else connection_queries.PLURALS[kind]
    return noun if kind == ReferenceKind.ACCOUNT else noun.lower()


def mirror_look(mirror: Mirror, now: datetime) -> Look:
    """Whether the mirror works, in a word."""
    if mirroring.is_at_work(mirror, now):
        return Look("Under way", "work", "loader")
    if mirror.blocked_at:
        return Look("Stopped", "person", "octagon-alert")
    if mirror.failures:
        return Look("Retrying", "retry", "rotate-ccw")
    if mirror.last_read_at is None:
        return Look("Never read", "neutral", "circle-dashed")
    if not mirror.is_automatic:
        return Look("By hand", "neutral", "hand")
    return Look("Works", "done", "circle-check")


def _chosen(request: HtmxHttpRequest, name: str, known: Collection[str]) -> str:
    value = request.GET.get(name, "")
    return value if value in known else ""


def _facts(mirror: Mirror, now: datetime) -> tuple[object, ...]:
    return (
        mirroring.is_at_work(mirror, now),
        (mirror.is_automatic, mirror.asked_by, mirror.failures, mirror.blocked_title),
        (mirror.read_due_at, mirror.full_due_at, mirror.push_due_at, mirror.verify_due_at),
        (mirror.last_read_at, mirror.last_full_at, mirror.last_push_at, mirror.last_verified_at),
    )


def _lines(connection: Connection, found: Sequence[DriftRow]) -> list[Line]:
    named = {
        index: Named(one.kind, one.erp_id, one.field_erp_id)
        for index, one in enumerate(found)
        if one.before and one.kind != ReferenceKind.TAX_RATE
    }
    used = impacts(connection.pk, set(named.values()))
    return [
        Line(one, used[named[index]] if index in named else None) for index, one in enumerate(found)
    ]


def _kind_tabs(counts: Sequence[DriftCount], chosen: str) -> list[Tab]:
    tabs = [Tab("", "All", sum(one.count for one in counts), not chosen)]
    for kind, label in connection_queries.PLURALS.items():
        records = sum(one.count for one in counts if one.kind == kind)
        if records or kind == chosen:
            tabs.append(Tab(kind, label, records, kind == chosen))
    return tabs


def _way_tabs(counts: Sequence[DriftCount], kind: str, chosen: str) -> list[Tab]:
    of_kind = [one for one in counts if kind in ("", one.kind)]
    return [
        Tab(way, label, records, way == chosen)
        for way, label in plan.WHAT.items()
        if (records := sum(one.count for one in of_kind if one.what == way)) or way == chosen
    ]
