"""What people tick off after the switch: codings read, no duplicate, bills and rules done."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from migrations_tool import step_records
from migrations_tool.cutover import codings
from migrations_tool.cutover.duplicates import DISMISSED
from migrations_tool.models import BillInFlight, ConnectionMigration, Evidence
from migrations_tool.proofs import newest
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

READ = "cutover.codings_read"


@transaction.atomic
def acknowledge_codings(
    migration: ConnectionMigration, *, checksum: str, version: int, actor: str, now: datetime
) -> None:
    """Somebody has read what became of the codings, and takes it as it is.

    :param checksum: of the comparison that the page showed
    :raises Refused: if it has been made anew since, or none was made
    """
    record = step_records.held(migration, Step.CUTOVER, version=version)
    counts = codings.verdicts(migration)
    if not counts or checksum != codings.checksum(migration):
        raise Refused("The comparison was made anew meanwhile. Read it again, then acknowledge it.")
    text = (
        f"Read what became of the codings: {counts['kept']} kept, {counts['changed']} changed,"
        f" {counts['lost']} lost."
    )
    _keep(migration, READ, text, actor, now, checksum=checksum, counts=dict(counts))
    step_records.changed(record, now=now)
    step_records.write_down(migration, Step.CUTOVER, "codings_read", text, actor=actor)


@transaction.atomic
def dismiss(
    migration: ConnectionMigration,
    *,
    key: str,
    reason: str,
    version: int,
    actor: str,
    now: datetime,
) -> None:
    """What seemed to be booked twice is two things. The next check leaves it out.

    :raises Refused: if no reason is given, or nothing of that kind was found
    """
    record = step_records.held(migration, Step.CUTOVER, version=version)
    if not reason.strip():
        raise Refused("Say how you know that it is another one: the closing report prints it.")
    found = newest(migration, "cutover.duplicates")
    suspects = found.result["suspects"] if found else []
    suspect = next((one for one in suspects if one["key"] == key), None)
    if found is None or suspect is None:
        raise Refused("This is not among what was found any more. Check again.")
    text = f"{suspect['label']} {suspect['amount']} is not a duplicate: {reason.strip()}"
    _keep(migration, DISMISSED, text, actor, now, inputs={"key": key, "reason": reason.strip()})
    left = [one for one in suspects if one["key"] != key]
    _keep(
        migration,
        "cutover.duplicates",
        f"{len(left)} of what was found are still to be looked at."
        if left
        else "No duplicates: what was found was looked at, and is something else.",
        actor,
        now,
        is_good=not left,
        result={**found.result, "suspects": left},
        counts={**found.counts, "suspects": len(left)},
    )
    step_records.changed(record, now=now)
    step_records.write_down(migration, Step.CUTOVER, "dismiss", text[:480], actor=actor)


@transaction.atomic
def tick_bill(bill: BillInFlight, *, version: int, actor: str, now: datetime) -> None:
    """What was decided about a bill in flight is done. Again changes nothing."""
    record = step_records.held(bill.migration, Step.CUTOVER, version=version)
    unticked = BillInFlight.objects.filter(pk=bill.pk, ticked_at=None)
    if not unticked.update(ticked_by=actor, ticked_at=now):
        return
    step_records.changed(record, now=now)
    text = f"Ticked off the bill {bill.invoice_number or bill.vendor}."
    step_records.write_down(bill.migration, Step.CUTOVER, "tick_bill", text, actor=actor)


def _keep(
    migration: ConnectionMigration,
    code: str,
    text: str,
    actor: str,
    now: datetime,
    *,
    is_good: bool = True,
    **more: object,
) -> None:
    Evidence.objects.create(
        migration=migration,
        step=Step.CUTOVER,
        code=code,
        at=now,
        by=actor,
        is_good=is_good,
        text=text[:500],
        app_version=settings.RELEASE[:60],
        **more,
    )
