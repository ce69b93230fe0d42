"""Measure what the switch did to codings: a sample of objects, before and now (R-102)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connections.ramp.errors import NotFound
from migrations_tool import backup as backups
from migrations_tool import page_memory
from migrations_tool.backup import restored
from migrations_tool.models import CodingComparison, ConnectionMigration, FormerCoding
from migrations_tool.old_chart import Translation, translation_of
from migrations_tool.old_chart.translation import KIND_OF_TYPE, Kind, State
from migrations_tool.reports_written.digests import digest_of
from migrations_tool.work import Work
from syncing.kinds import KINDS, kind_of

Verdict = CodingComparison.Verdict
_WORST = (Verdict.LOST, Verdict.CHANGED, Verdict.KEPT)
GONE = "Ramp no longer has this object."


def compare(work: Work) -> Counter[str]:
    """Read the sample from Ramp anew and keep what became of each. Counts by verdict."""
    archive = backups.latest(work.migration)
    sample = list(_sample(work.migration, archive)) if archive else []
    translation = translation_of(work.migration)
    for number, former in enumerate(sample):
        work.progress(number, len(sample), f"Reading {former.label or former.object_type}")
        _keep(work, former, _after(work, former), translation)
    work.progress(len(sample), len(sample))
    counts = verdicts(work.migration)
    total = counts.total()
    work.evidence(
        "cutover.codings",
        f"Of {total:,} objects {counts[Verdict.KEPT]:,} kept their coding,"
        f" {counts[Verdict.CHANGED]:,} changed, {counts[Verdict.LOST]:,} lost it."
        if total
        else "There was nothing to compare: the archive has no coded objects.",
        is_good=counts[Verdict.KEPT] == total,
        counts=dict(counts),
        checksum=checksum(work.migration),
    )
    return counts


def compared(migration: ConnectionMigration) -> list[CodingComparison]:
    """The sample, in the order in which it is acknowledged. As many of each type as rehearsed."""
    found = CodingComparison.objects.filter(migration=migration).order_by("object_type", "ramp_id")
    return page_memory.once(migration, "compared codings", lambda: list(found))


def verdicts(migration: ConnectionMigration) -> Counter[str]:
    """How many objects of the sample came to which verdict."""
    return Counter(one.verdict for one in compared(migration))


def checksum(migration: ConnectionMigration) -> str:
    """Of what the sample says, so that an acknowledgement is of exactly this."""
    facts = [
        [one.object_type, str(one.ramp_id), one.verdict, one.after] for one in compared(migration)
    ]
    return digest_of({"comparisons": facts})


def judged(
    before: Sequence[Mapping[str, Any]],
    after: Sequence[Mapping[str, Any]] | None,
    translation: Translation,
) -> list[dict[str, Any]]:
    """Per coding of before: what it was, what was expected of it, what it is, and the verdict.

    What is parked, or has no place in the new chart, is not expected and so not lost.

    :param after: None, if Ramp no longer has the object
    """
    rows = []
    for number, line in enumerate(before):
        now = after[number]["selections"] if after is not None and number < len(after) else []
        rows += [
            row
            for one in line["selections"]
            if (row := _judge(one, now, translation, number + 1)) is not None
        ]
    return rows


def _judge(
    old: Mapping[str, Any], now: Sequence[Mapping[str, Any]], translation: Translation, line: int
) -> dict[str, Any] | None:
    kind = KIND_OF_TYPE.get(old["type"], Kind.OPTION)
    of = old["field_id"] if kind == Kind.OPTION else ""
    goal = translation.goal(kind, old["id"], of)
    if goal is None or goal.state == State.PARKED or not goal.erp_id:
        return None
    same_field = [
        one
        for one in now
        if KIND_OF_TYPE.get(one["type"], Kind.OPTION) == kind
        and (kind != Kind.OPTION or one["field_id"] == goal.field_erp_id)
    ]
    hit = next((one for one in same_field if one["id"] == goal.erp_id), None)
    found = hit or (same_field[0] if same_field else None)
    verdict = Verdict.KEPT if hit else Verdict.CHANGED if found else Verdict.LOST
    return {
        "line": line,
        "field": old.get("field") or Kind(kind).label,
        "was": _name(old),
        "expected": goal.erp_name or goal.erp_id,
        "now": _name(found) if found else "",
        "verdict": verdict.value,
    }


def _name(coding: Mapping[str, Any]) -> str:
    return f"{coding.get('code') or ''} {coding.get('name') or ''}".strip() or str(coding["id"])


def _sample(migration: ConnectionMigration, archive: Any) -> Iterator[FormerCoding]:
    """The newest objects of each type that were coded, as many as were rehearsed."""
    for object_type in KINDS:
        found = FormerCoding.objects.filter(backup=archive, object_type=object_type)
        coded = found.exclude(codings=[]).order_by("-spent_on", "-pk")
        some = coded.iterator(chunk_size=200)
        kept = 0
        for one in some:
            if kept >= migration.rehearse:
                break
            if any(line["selections"] for line in one.codings):
                kept += 1
                yield one


def _after(work: Work, former: FormerCoding) -> list[dict[str, Any]] | None:
    kind = kind_of(former.object_type)
    work.keep()
    try:
        body = kind.body(work.ramp, former.ramp_id)
    except NotFound:
        return None
    return restored.codings_of(kind.model.parse(body))


def _keep(
    work: Work,
    former: FormerCoding,
    after: list[dict[str, Any]] | None,
    translation: Translation,
) -> None:
    rows = judged(former.codings, after, translation)
    if not rows and after is not None:
        return  # nothing of it was to be expected, so nothing is measured
    found = {row["verdict"] for row in rows}
    verdict = next((one for one in _WORST if one in found), Verdict.KEPT)
    if after is None:
        verdict = Verdict.LOST
        rows = [row | {"now": GONE} for row in rows]
    CodingComparison.objects.update_or_create(
        migration=work.migration,
        object_type=former.object_type,
        ramp_id=former.ramp_id,
        defaults={
            "label": former.label,
            "verdict": verdict,
            "before": former.codings,
            "after": rows,
            "at": work.clock(),
        },
    )
