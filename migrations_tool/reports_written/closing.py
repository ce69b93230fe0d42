"""The closing report: what an auditor asks for, kept byte for byte with a hash over its facts."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Sum
from django.template.loader import render_to_string

from migrations_tool.inventory.tables import STATES, TYPES
from migrations_tool.models import (
    CodingComparison,
    ConnectionMigration,
    Evidence,
    Report,
    StepRecord,
)
from migrations_tool.reports_written.closing_pdf import pdf_of
from migrations_tool.reports_written.closing_tables import sections, summary
from migrations_tool.reports_written.digests import digest_of
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.wizard import LABELS, Status
from rampbridge.lib.money import Money
from syncing.models import ItemCount, SyncItem
from syncing.queries.words import LOOKS, word_of
from syncing.states import ItemState

TEMPLATE = "migrations_tool/reports/closing.html"
ROUTINE = ("hypercare.reading", "flip.switched", "drain.reading", "wizard.completed")
"""Evidence that comes again and again: the report prints the newest of each."""


def write(migration: ConnectionMigration, *, actor: str, now: datetime) -> Report:
    """Write it, or give back the one that says the same already."""
    facts = facts_of(migration)
    digest = digest_of(facts)
    known = migration.reports.filter(kind=Report.Kind.CLOSING, digest=digest).first()
    if known is not None:
        return known
    printed = {
        "facts": facts,
        "summary": summary(facts),
        "sections": sections(facts),
        "digest": digest,
        "made_by": actor,
        "made_at": _moment(now),
    }
    return Report.objects.create(
        migration=migration,
        kind=Report.Kind.CLOSING,
        made_at=now,
        made_by=actor,
        facts=facts,
        html=render_to_string(TEMPLATE, printed),
        pdf=pdf_of(facts, digest=digest, made_by=actor, made_at=_moment(now)),
        digest=digest,
    )


def facts_of(migration: ConnectionMigration) -> dict[str, Any]:
    """All that the report says, of text and whole numbers."""
    return {
        "customer": migration.connection.name,
        "erp": migration.connection.erp_name,
        "label": migration.connection.ramp_provider_name,
        "old_provider": migration.old_provider_name,
        "old_connection": str(migration.old_connection_id or ""),
        "new_connection": str(migration.new_connection_id or ""),
        "contact": f"{migration.contact_name} {migration.contact_email}".strip(),
        "implementer": migration.implementer,
        "supporter": migration.supporter,
        "started": _moment(migration.started_at),
        "marked_ready": _moment(migration.marked_ready_at),
        "switched": _moment(migration.flipped_at),
        "ended": _ended(migration),
        "steps": _steps(migration),
        "evidence": _evidence(migration),
        "waivers": _waivers(migration),
        "signatures": _signatures(migration),
        "before": _before(migration),
        "after": _after(migration),
        "canaries": _canaries(migration),
        "codings": _codings(migration),
        "bills": _bills(migration),
        "rules": _rules(migration),
    }


def _moment(when: datetime | None) -> str:
    return f"{when:%-d %b %Y, %H:%M} UTC" if when else ""


def _ended(migration: ConnectionMigration) -> str:
    """How it ended, where that was not by its last step."""
    if migration.state != ConnectionMigration.State.ROLLED_BACK:
        return ""
    how = migration.get_state_display()
    return f"{how} by {migration.ended_by}, {_moment(migration.finished_at)}: " + (
        migration.ended_because
    )


def _steps(migration: ConnectionMigration) -> list[dict[str, Any]]:
    records = {one.step: one for one in StepRecord.objects.filter(migration=migration)}
    return [
        {
            "number": BY_STEP[step].number,
            "title": BY_STEP[step].title,
            "status": LABELS[Status(records[step].status)],
            "owner": records[step].owner,
            "done": _moment(records[step].done_at),
            "by": records[step].done_by,
            "note": records[step].note,
        }
        for step in Step
    ]


def _evidence(migration: ConnectionMigration) -> list[dict[str, Any]]:
    """Every line in the order it was kept; of what comes again and again, the newest per step."""
    lines = list(Evidence.objects.filter(migration=migration).order_by("at", "pk"))
    newest = {(one.step, one.code): one.pk for one in lines}
    shown = [
        one for one in lines if one.code not in ROUTINE or newest[one.step, one.code] == one.pk
    ]
    return [
        {
            "at": _moment(one.at),
            "step": BY_STEP[Step(one.step)].title,
            "code": one.code,
            "text": one.text,
            "is_good": one.is_good,
            "by": one.by,
            "checksum": one.checksum,
            "version": one.app_version,
        }
        for one in shown
    ]


def _waivers(migration: ConnectionMigration) -> list[dict[str, Any]]:
    return [
        {
            "step": BY_STEP[Step(one.step)].title,
            "gate": one.gate or "the whole step",
            "state": one.get_state_display(),
            "reason": one.reason,
            "words": one.words,
            "asked": f"{one.asked_by}, {_moment(one.asked_at)}",
            "decided": f"{one.decided_by}, {_moment(one.decided_at)}" if one.decided_by else "",
        }
        for one in migration.waivers.order_by("asked_at", "pk")
    ]


def _signatures(migration: ConnectionMigration) -> list[dict[str, Any]]:
    return [
        {
            "role": one.get_role_display(),
            "name": one.name,
            "email": one.email,
            "at": _moment(one.at),
            "report": one.report_hash,
            "mapping": one.mapping_version,
            "way": one.link.way if one.link else "",
            "withdrawn": f"{one.withdrawn_by}, {_moment(one.withdrawn_at)}"
            if one.withdrawn_at
            else "",
        }
        for one in migration.signatures.select_related("link").order_by("at", "pk")
    ]


def _before(migration: ConnectionMigration) -> list[dict[str, Any]]:
    """What the inventory counted on the old connection."""
    counted = Evidence.objects.filter(migration=migration, code="inventory.counted")
    newest = counted.order_by("-at", "-pk").first()
    if newest is None:
        return []
    return [
        {
            "type": TYPES.get(kind, kind),
            "standing": STATES.get(standing, standing),
            "count": _count_of(told),
            "amount": _amounts_of(told, newest.result.get("exponents", {})),
        }
        for kind, standings in sorted(newest.counts.items())
        if isinstance(standings, dict)
        for standing, told in sorted(standings.items())
    ]


def _amounts_of(told: Any, exponents: Mapping[str, int]) -> str:
    """Each currency for itself."""
    amounts = told.get("amounts", {}) if isinstance(told, dict) else {}
    return ", ".join(
        str(Money(int(minor), currency, exponents.get(currency, 2)))
        for currency, minor in sorted(amounts.items())
    )


def _count_of(told: Any) -> int:
    found = told.get("count", 0) if isinstance(told, dict) else told
    return found if isinstance(found, int) else 0


def _after(migration: ConnectionMigration) -> list[dict[str, Any]]:
    """What we hold of the customer now."""
    counted = (
        ItemCount.objects.filter(connection_id=migration.connection_id)
        .values_list("object_type", "state", "currency", "exponent")
        .annotate(Sum("items"), Sum("amount_minor"))
        .order_by("object_type", "state", "currency")
    )
    return [
        {
            "type": SyncItem.ObjectType(kind).label,
            "state": _standing(state),
            "count": int(count),
            "amount": str(Money(int(minor), currency, exponent)),
        }
        for kind, state, currency, exponent, count, minor in counted
        if count
    ]


def _standing(state: str) -> str:
    """In the words of the lists. Whose move an error is, the counts do not tell."""
    return "Not posted" if state == ItemState.FAILED else LOOKS[word_of(state, "")].label


def _canaries(migration: ConnectionMigration) -> list[dict[str, Any]]:
    found = migration.canaries.select_related("item").order_by("object_type")
    return [
        {
            "type": SyncItem.ObjectType(one.object_type).label,
            "label": one.item.label if one.item else "",
            "amount": str(one.item.money) if one.item else "",
            "document": (one.item.erp_number or one.item.erp_id) if one.item else "",
            "ticked": f"{one.ticked_by}, {_moment(one.ticked_at)}" if one.ticked_at else "",
            "objection": one.objection,
        }
        for one in found
    ]


def _codings(migration: ConnectionMigration) -> dict[str, Any]:
    found = CodingComparison.objects.filter(migration=migration)
    counts = Counter(found.values_list("verdict", flat=True))
    differing = found.exclude(verdict=CodingComparison.Verdict.KEPT)
    return {
        "kept": counts["kept"],
        "changed": counts["changed"],
        "lost": counts["lost"],
        "differing": [
            {
                "label": one.label,
                "verdict": one.get_verdict_display(),
                "type": SyncItem.ObjectType(one.object_type).label,
            }
            for one in differing.order_by("object_type", "pk")[:200]
        ],
    }


def _bills(migration: ConnectionMigration) -> list[dict[str, Any]]:
    return [
        {
            "vendor": one.vendor,
            "number": one.invoice_number,
            "amount": str(Money(one.amount_minor, one.currency, one.exponent)),
            "decision": one.get_decision_display() if one.decision else "not decided",
            "by": one.decided_by,
            "done": f"{one.ticked_by}, {_moment(one.ticked_at)}"
            if one.ticked_at
            else f"no longer in flight, {_moment(one.gone_at)}"
            if one.gone_at
            else "",
        }
        for one in migration.bills.order_by("vendor", "pk")
    ]


def _rules(migration: ConnectionMigration) -> list[dict[str, Any]]:
    return [
        {
            "kind": one.get_kind_display(),
            "name": one.name,
            "owner": one.owner,
            "done": f"dropped: {one.dropped_because}"
            if one.dropped_because
            else f"{one.recreated_by}, {_moment(one.recreated_at)}"
            if one.recreated_at
            else "not made anew",
        }
        for one in migration.rules.order_by("kind", "name", "pk")
    ]
