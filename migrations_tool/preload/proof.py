"""Evidence that a chart is the same on all three sides, and whether it still holds."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta

from django.db.models import Max
from django.db.models.functions import Greatest

from connections.mirror import verification
from connections.mirror.conditions import MODELS
from connections.mirror.diff import KINDS as MIRRORED
from connections.models import Connection
from connections.models.reference import ReferenceKind
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.preload.parity import Parity, Sides
from migrations_tool.preload.sending import KINDS, at_the_chart, chart_of, look, read_erp
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.wizard import Gate, Light
from migrations_tool.work import Work

GOOD_FOR = timedelta(hours=24)
_TOLD_EVERY = 500


def count(work: Work, kinds: Collection[str] = KINDS) -> Parity:
    """Read both sides' lists, bring our rows up to them, and compare.

    :raises RampError, ErpError: if a list breaks off
    :raises Refused: if our connection is not as it has to be
    """
    chart = chart_of(work)
    sides = Sides(work.connection, kinds)
    overheard = sides.overhear(work.erp)
    with at_the_chart(work) as keep:
        read_erp(work, keep, overheard)

        def tell() -> None:
            keep()
            if sides.heard % _TOLD_EVERY == 0:
                work.progress(sides.heard, None, "Reading Ramp's lists.")

        verification.read_back(
            work.connection,
            chart,
            kinds=kinds,
            keep=tell,
            is_ours=lambda: look(work),
            hear=sides.hear,
        )
    return sides.compare()


def prove(work: Work, code: str, kinds: Collection[str] = KINDS) -> Parity:
    """Count, and keep what came of it as evidence of this code."""
    parity = count(work, kinds)
    records = sum(sides["ramp"] for sides in parity.counts.values())
    text = (
        f"{records:,} records are the same in the ERP, here and in Ramp."
        if parity.is_given
        else f"{parity.total:,} {'record differs' if parity.total == 1 else 'records differ'}."
    )
    work.evidence(
        code,
        text,
        is_good=parity.is_given,
        counts=parity.counts,
        result={
            "checksums": parity.checksums,
            "differences": [asdict(one) for one in parity.differences],
            "total": parity.total,
            "chart_at": _told(chart_at(work.connection, kinds)),
        },
        checksum=parity.checksum,
        good_for=GOOD_FOR,
    )
    return parity


def gate_of_parity(
    migration: ConnectionMigration,
    code: str,
    title: str,
    *,
    now: datetime,
    kinds: Collection[str] = KINDS,
) -> Gate:
    """Green while the newest count is good, fresh, and of the chart as we know it now."""
    evidence = newest(migration, code)
    fix = "Apply this step, then check again."
    # After the switch the chart is kept up by itself, and what counts is how it was then.
    at = min(now, migration.flipped_at or now)
    gate = gate_of_evidence(evidence, code, title, now=at, fix=fix, may_be_waived=True)
    if evidence is not None and not evidence.is_good:
        return replace(gate, left=int(evidence.result.get("total", 0)))
    if evidence is None or not gate.is_open or migration.flipped_at is not None:
        return gate
    if evidence.result.get("chart_at") == _told(chart_at(migration.connection, kinds)):
        return gate
    words = "The ERP's chart has changed since this was counted."
    return Gate(code, title, Light.RED, words, fix, may_be_waived=True)


def chart_at(connection: Connection, kinds: Sequence[str] | Collection[str]) -> datetime | None:
    """When the ERP's side of our rows last changed. One statement."""
    parts = [
        MODELS[kind]
        .objects.filter(connection=connection)
        .order_by()
        .values("connection")
        .annotate(at=Max(Greatest("changed_at", "gone_at")))
        .values_list("at")
        for kind in kinds
    ]
    found = [at for (at,) in parts[0].union(*parts[1:]) if at is not None]
    return max(found, default=None)


def shown(evidence: Evidence | None) -> list[dict[str, object]]:
    """The counts of a proof as rows of a table."""
    if evidence is None:
        return []
    checksums = evidence.result.get("checksums", {})
    return [
        {
            "name": _label(name),
            **sides,
            "checksum": checksums.get(name, {}).get("ramp", ""),
            "is_same": len(set(checksums.get(name, {}).values())) == 1,
        }
        for name, sides in sorted(evidence.counts.items(), key=_rank)
    ]


def _rank(of: tuple[str, object]) -> tuple[int, str]:
    """Kinds as they depend on each other, whatever order the database keeps keys in."""
    name, _ = of
    return MIRRORED.index(name.partition(" of ")[0]), name


def _label(name: str) -> str:
    kind, _, of_field = name.partition(" of ")
    label = str(ReferenceKind(kind).label)
    return f"{label}, {of_field}" if of_field else label


def _told(at: datetime | None) -> str:
    return at.isoformat() if at else ""
