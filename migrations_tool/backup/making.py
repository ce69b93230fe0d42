"""Make a version of the archive: read, prove, seal; or find that there is nothing to make."""

from datetime import timedelta

from django.db import transaction

from migrations_tool.backup import parts, versions
from migrations_tool.backup.lists import CHART, LABELS, Taxes, taxes_of
from migrations_tool.backup.old_seat import check_seat
from migrations_tool.backup.proof import ChartChanged, NotProven, Proof, chart_digests, prove
from migrations_tool.backup.reading import Place, read_chart, read_objects
from migrations_tool.models import Backup, StepRun
from migrations_tool.wizard import Refused
from migrations_tool.work import Work
from rampbridge.lib import failpoints

TAXES = "backup.taxes"
GOOD_FOR = timedelta(days=30)
"""Then it is to be made again, even if nothing is known to have changed."""
LONGEST_READING = timedelta(days=1)
"""What was left off longer ago is begun anew: its parts would be of different times."""
MOST_ROUNDS = 3
"""Readings of a chart that changes all the time."""


def make(work: Work, *, anew: bool) -> None:
    """Seal a version, unless the newest one has the chart that Ramp has now.

    :param anew: make one in any case
    :raises Refused: with what does not fit together
    """
    if (done := _sealed_by_this_run(work)) is not None:
        _say_sealed(work, done)
        return
    check_seat(work)
    backup, place = _begun(work)
    if backup is None or place is None:
        newest = versions.latest(work.migration)
        if newest is not None and not anew and note_freshness(work, newest):
            work.say(
                f"The chart is as in version {newest.number}, so no other version was made.",
                "Objects that came since are not in it. Make another version to keep them too.",
            )
            return
        backup, place = _begin(work)
    try:
        _read_and_seal(work, backup, place)
    except Refused as refused:
        with transaction.atomic():
            work.hold()  # who comes late would break off what the next one goes on with
            versions.break_off(backup)
            work.evidence("backup.verified", str(refused), is_good=False)
        raise


def note_freshness(work: Work, backup: Backup) -> bool:
    """Read the chart again, and keep as evidence whether the archive still has it."""
    now = chart_digests(work, backup)
    changed = [kind for kind, digest in now.items() if backup.digests.get(kind) != digest]
    sealed_at = backup.sealed_at or work.clock()
    if changed:
        names = ", ".join(LABELS[kind] for kind in changed)
        text = f"Version {backup.number} is older than the last change of the chart: {names}."
    else:
        text = f"The chart in Ramp is the one of version {backup.number}."
    work.evidence(
        "backup.fresh",
        text,
        is_good=not changed,
        result={"backup": str(backup.pk), "changed": changed},
        good_for=sealed_at + GOOD_FOR - work.clock(),
    )
    return not changed and work.clock() < sealed_at + GOOD_FOR


def _sealed_by_this_run(work: Work) -> Backup | None:
    """Its worker died after the seal and before saying so."""
    given = work.place.get("sealed")
    return Backup.objects.filter(pk=given).first() if given else None


def _begun(work: Work) -> tuple[Backup | None, Place | None]:
    """The backup that was left off, by this run or an earlier one, and where."""
    backup = versions.unfinished(work.migration)
    if backup is None:
        return None, None
    place = _place_of(work, backup)
    if place is None or work.clock() - backup.began_at > LONGEST_READING:
        versions.break_off(backup)
        return None, None
    return backup, place


def _place_of(work: Work, backup: Backup) -> Place | None:
    if work.place.get("backup") == str(backup.pk):
        return Place(**work.place)
    earlier = StepRun.objects.filter(
        migration=work.migration, step=work.step, place__backup=str(backup.pk)
    )
    found = earlier.order_by("-asked_at").first()
    return Place(**found.place) if found else None


def _begin(work: Work) -> tuple[Backup, Place]:
    newest = versions.latest(work.migration)
    with transaction.atomic():
        backup = Backup.objects.create(
            migration=work.migration,
            number=versions.next_number(work.migration),
            made_by=work.actor,
            began_at=work.clock(),
        )
        place = Place(str(backup.pk), expected=sum(newest.counts.values()) if newest else None)
        place.keep(work)
        work.progress(0, place.expected, "Beginning")
    return backup, place


def _read_and_seal(work: Work, backup: Backup, place: Place) -> None:
    while True:
        if place.part == "chart":
            read_chart(work, backup, place)
            place.go_to("objects")
        if place.part == "objects":
            read_objects(work, backup, place)
            place.go_to("proof")
        place.keep(work)
        work.progress(place.done, place.done, "Proving that it can be read back")
        failpoints.hit("in_step_run")
        try:
            proof = prove(work, backup)
        except ChartChanged as changed:
            _read_chart_again(work, backup, place, changed)
            continue
        check_seat(work)
        taxes = taxes_of(work.ramp)
        _seal(work, backup, place, proof, taxes)
        return


def _read_chart_again(work: Work, backup: Backup, place: Place, changed: ChartChanged) -> None:
    if place.round >= MOST_ROUNDS:
        raise NotProven(
            f"The chart changed while it was read, {MOST_ROUNDS} times in a row: {changed}."
            " Have the old integration leave it alone for a while, then make the backup again."
        ) from changed
    with transaction.atomic():
        versions.drop(backup, tuple(CHART))
        place.part, place.round = "chart", place.round + 1
        place.keep(work)
        work.progress(place.done, None, f"The chart changed meanwhile and is read again: {changed}")


def _seal(work: Work, backup: Backup, place: Place, proof: Proof, taxes: Taxes) -> None:
    """From here on nothing of it can change."""
    checksum = parts.checksum_of(backup)
    with transaction.atomic():
        Backup.objects.filter(pk=backup.pk).update(
            state=Backup.State.SEALED,
            sealed_at=work.clock(),
            counts=proof.counts,
            digests=proof.digests,
            checksum=checksum,
        )
        backup.refresh_from_db()
        _keep_evidence(work, backup, place, proof)
        _keep_taxes(work, backup, taxes)
        work.place.clear()
        work.place["sealed"] = str(backup.pk)
        total = sum(proof.counts.values())
        work.progress(total, total, "Sealed")
    _say_sealed(work, backup)


def _keep_evidence(work: Work, backup: Backup, place: Place, proof: Proof) -> None:
    total = sum(proof.counts.values())
    result = {
        "backup": str(backup.pk),
        "version": backup.number,
        "parts": proof.parts,
        "readings_of_the_chart": place.round,
        "unreadable": proof.unreadable,
    } | {part: proof.sum(part) for part in ("same", "changed", "gone", "late")}
    work.evidence(
        "backup.sealed",
        f"Version {backup.number} is sealed: {total:,} records.",
        is_good=True,
        result=result,
        counts=proof.counts,
        checksum=backup.checksum,
    )
    work.evidence(
        "backup.verified",
        f"All {proof.parts:,} parts were read back and restored to a scratch store; a second"
        f" reading of Ramp has the same chart{_moved(proof)}.",
        is_good=True,
        result=result,
        counts=proof.counts,
        checksum=backup.checksum,
    )
    work.evidence(
        "backup.fresh",
        f"The chart in Ramp is the one of version {backup.number}.",
        is_good=True,
        result={"backup": str(backup.pk), "changed": []},
        good_for=GOOD_FOR,
    )


def _keep_taxes(work: Work, backup: Backup, taxes: Taxes) -> None:
    """That nothing is in the archive is told apart from that nothing could be read."""
    words = {
        Taxes.THERE: f"Tax rates and tax codes are in version {backup.number}.",
        Taxes.NONE: "The old connection has no tax codes.",
        Taxes.UNREADABLE: "Ramp does not show us whether the old connection has tax rates and tax"
        f" codes, so version {backup.number} has none of them.",
    }
    work.evidence(
        TAXES,
        words[taxes],
        is_good=taxes is not Taxes.UNREADABLE,
        result={"backup": str(backup.pk), "taxes": taxes},
    )


def _moved(proof: Proof) -> str:
    """What people did with objects while they were read: it is in the archive as it says."""
    words = {
        "late": "came while it was read and were added",
        "changed": "were coded anew after they were read",
        "gone": "are no longer listed and are kept",
    }
    told = [f"{proof.sum(part)} objects {what}" for part, what in words.items() if proof.sum(part)]
    if proof.unreadable:
        told.append(f"{proof.unreadable} records are kept as they came, for we cannot read them")
    return f"; {'; '.join(told)}" if told else " and the same objects"


def _say_sealed(work: Work, backup: Backup) -> None:
    total = sum(backup.counts.values())
    work.say(f"Version {backup.number} is sealed: {total:,} records, restored once and compared.")
