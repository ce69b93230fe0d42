"""The rehearsal's report: its facts, the hash that people sign, and how it reads."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string

from connections.erp.records import DocKind, Document
from migrations_tool import page_memory, proofs
from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    FormerCoding,
    RehearsedObject,
    Report,
    ShareLink,
    Signature,
)
from migrations_tool.old_chart.coverage import coverage
from migrations_tool.old_chart.labels import label_of
from migrations_tool.rehearsal import posts_to
from migrations_tool.rehearsal.names import Names
from migrations_tool.reports_written.digests import digest_of
from rampbridge.lib.money import Money
from rampbridge.lib.together import together
from syncing.queries.words import type_label

REPLAYED, ROUTING = "rehearsal.replayed", "rehearsal.routing"
TEMPLATE = "migrations_tool/reports/rehearsal.html"
NO_ACCOUNT = "no GL account"
_UNCODED = ("transfer", "cashback")
"""Nobody codes them: their accounts are the posting profile's."""
Verdict = RehearsedObject.Verdict


def newest_report(migration: ConnectionMigration) -> Report | None:
    """The report that can be signed."""
    found = Report.objects.filter(migration=migration, kind=Report.Kind.REHEARSAL)
    newest = found.order_by("-made_at", "-pk")
    return page_memory.once(migration, "rehearsal report", newest.first)


def write_if_ready(migration: ConnectionMigration, *, actor: str, now: datetime) -> Report | None:
    """Write the report, once everything is explained; one with the same facts is not repeated.

    :returns: the newest report, or None while something is unexplained
    """
    replayed = proofs.newest(migration, REPLAYED)
    rows = rehearsed(migration)
    if replayed is None or any(is_open(row) for row in rows):
        return None
    facts = facts_of(migration, replayed, rows)
    digest = digest_of(facts)
    known = newest_report(migration)
    if known is not None and known.digest == digest:
        return known
    html = render_to_string(TEMPLATE, {"facts": facts, "digest": digest})
    return Report.objects.create(
        migration=migration,
        kind=Report.Kind.REHEARSAL,
        made_at=now,
        made_by=actor,
        facts=facts,
        html=html,
        digest=digest,
    )


def is_open(row: RehearsedObject) -> bool:
    """Whether somebody has to explain it."""
    return row.verdict != Verdict.SAME and not row.explained_as


def rehearsed(migration: ConnectionMigration) -> list[RehearsedObject]:
    """All objects, type by type, the newest first."""
    return _read_together(migration)[0]


def signatures(migration: ConnectionMigration) -> list[Signature]:
    """Those that nobody has withdrawn, with the links by which people came."""
    _, standing, links = _read_together(migration)
    by_id = {one.pk: one for one in links}
    for one in standing:
        one.link = by_id.get(one.link_id)
    return standing


def _read_together(migration: ConnectionMigration) -> tuple[list[Any], ...]:
    objects = RehearsedObject.objects.filter(migration=migration)
    in_order = objects.order_by("object_type", "-spent_on", "-pk")
    standing = Signature.objects.filter(migration=migration, withdrawn_at=None)
    links = ShareLink.objects.filter(signatures__in=standing)
    return page_memory.once(migration, "rehearsed", lambda: together(in_order, standing, links))


def facts_of(
    migration: ConnectionMigration, replayed: Evidence, rows: Sequence[RehearsedObject]
) -> dict[str, Any]:
    """All that the report says, of text and whole numbers."""
    routing = proofs.newest(migration, ROUTING)
    covered = coverage(migration)
    return {
        "customer": migration.connection.name,
        "erp": migration.connection.erp_name,
        "migration": migration.pk,
        "old_provider": migration.old_provider_name,
        "mapping_version": replayed.checksum,
        "backup": replayed.inputs.get("backup", 0),
        "backup_checksum": replayed.inputs.get("backup_checksum", ""),
        "of_each_type": migration.rehearse,
        "mapping": [
            {"kind": part.kind.label, "records": part.records, "used": part.used, "open": part.open}
            for part in covered.parts
        ],
        "posts_to": posts_to.printed(
            migration.connection,
            replayed.inputs.get(posts_to.KEPT, []),
            Names(migration.connection),
        ),
        "types": types_of(rows),
        "accounts": account_totals(migration, rows),
        "objects": [_object(row) for row in rows],
        "routing": routing.result["routed"] if routing else [],
    }


def types_of(rows: Sequence[RehearsedObject]) -> list[dict[str, Any]]:
    """How many of each type came out how."""
    counted: dict[str, dict[str, int]] = {}
    for row in rows:
        tally = counted.setdefault(row.object_type, {**dict.fromkeys(Verdict.values, 0), "open": 0})
        tally[row.verdict] += 1
        tally["open"] += is_open(row)
    return [
        {"type": name, "label": type_label(name), "all": _all(tally), **tally}
        for name, tally in counted.items()
    ]


def _all(tally: Mapping[str, int]) -> int:
    return sum(tally[verdict] for verdict in Verdict.values)


def account_totals(
    migration: ConnectionMigration, rows: Sequence[RehearsedObject]
) -> list[dict[str, str]]:
    """What stands on each account, as it was coded and as it would be booked.

    Held objects are in neither. Bills with their tax; of journal entries tax has an account of its
    own, which is why the two sides may differ by it.
    """
    made = {(row.object_type, row.ramp_id): row for row in rows if row.document}
    before = _before(migration, made)
    after = _after(Names(migration.connection), list(made.values()))
    return [
        {
            "account": account,
            "currency": currency,
            "before": _figure(before.get((account, currency))),
            "after": _figure(after.get((account, currency))),
        }
        for account, currency in sorted({*before, *after})
    ]


def _before(
    migration: ConnectionMigration, made: Mapping[tuple[str, Any], RehearsedObject]
) -> dict[tuple[str, str], Decimal]:
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    newest = migration.backups.filter(state="sealed").order_by("-number").first()
    if newest is None:
        return totals
    kept = FormerCoding.objects.filter(backup=newest, ramp_id__in=[one for _, one in made])
    for coding in kept.order_by("pk"):
        if (coding.object_type, coding.ramp_id) not in made or coding.object_type in _UNCODED:
            continue
        for line in coding.codings:
            chosen = (one for one in line["selections"] if one["type"] == "GL_ACCOUNT")
            account = next(chosen, None)
            if line["minor"] is None:
                continue
            name = label_of(account["code"], account["name"]) if account else NO_ACCOUNT
            currency = line.get("currency", coding.currency)
            exponent = line.get("exponent", coding.exponent)
            totals[name, currency] += Decimal(line["minor"]).scaleb(-exponent)
    return totals


def _after(names: Names, rows: Sequence[RehearsedObject]) -> dict[tuple[str, str], Decimal]:
    """Of what was spent: the other side of a journal, as the card's liability, is left out."""
    totals: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in rows:
        document = Document.from_json(row.document or {})
        if document.kind == DocKind.BILL_PAYMENT or row.object_type in _UNCODED:
            continue
        lines = document.lines[:-1] if document.kind == DocKind.JOURNAL else document.lines
        for line in lines:
            key = names.account(line.account), document.currency
            totals[key] += line.amount + (line.tax_amount or 0)
    return totals


def _figure(amount: Decimal | None) -> str:
    return "" if amount is None else f"{amount:f}"


def _object(row: RehearsedObject) -> dict[str, Any]:
    return {
        "type": row.object_type,
        "type_label": type_label(row.object_type),
        "id": str(row.ramp_id),
        "label": row.label,
        "day": f"{row.spent_on:%-d %b %Y}" if row.spent_on else "",
        "amount": str(Money(row.amount_minor, row.currency, row.exponent)),
        "verdict": row.verdict,
        "verdict_label": Verdict(row.verdict).label,
        "differences": row.differences,
        "problem": row.problem,
        "fix": row.fix,
        "explained_as": row.explained_as,
        "explained_by": row.explained_by,
    }
