"""People explain what the mapping does not: why an object differs, or why one held is no harm."""

from datetime import datetime

from django.db import transaction

from migrations_tool.models import ConnectionMigration, RehearsedObject
from migrations_tool.rehearsal import reporting
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

Verdict = RehearsedObject.Verdict


def signature_of(row: RehearsedObject) -> tuple[object, ...]:
    """What makes two objects alike: the same codings changed into the same, or the same problem."""
    if row.verdict == Verdict.HELD:
        return row.verdict, row.problem
    named = {(one["field"], one["before"], one["after"]) for one in row.differences}
    return row.verdict, *sorted(named)


def alike(row: RehearsedObject) -> list[RehearsedObject]:
    """All objects like this one that nobody has explained yet, itself included."""
    open_ones = unexplained(row.migration)
    return [one for one in open_ones if signature_of(one) == signature_of(row)]


def unexplained(migration: ConnectionMigration) -> list[RehearsedObject]:
    """At most some of each type: a rehearsal is small."""
    return list(
        RehearsedObject.objects.filter(migration=migration, explained_as="")
        .exclude(verdict=Verdict.SAME)
        .order_by("object_type", "pk")
    )


@transaction.atomic
def explain(row: RehearsedObject, text: str, *, all_alike: bool, actor: str, now: datetime) -> int:
    """Explain an object, or all that are like it. The report is written anew once all are.

    :returns: how many were explained
    :raises Refused: without a text, or if the migration has ended
    """
    text = " ".join(text.split())
    if not text:
        raise Refused("Say why this is as it should be: the report prints it.")
    record = held(row.migration, Step.REHEARSAL)
    rows = {one.pk for one in alike(row)} if all_alike else set()
    count = RehearsedObject.objects.filter(pk__in=rows | {row.pk}).update(
        explained_as=text[:300], explained_by=actor
    )
    reporting.write_if_ready(row.migration, actor=actor, now=now)
    changed(record, now=now)
    what = f"{row.label or row.object_type}" if count == 1 else f"{count} objects"
    write_down(row.migration, Step.REHEARSAL, "explain", f"Explained {what}: {text}", actor=actor)
    return count
