"""Step 12: the canary, duplicates, and what became of codings."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from migrations_tool.cutover import canaries, codings, conditions, duplicates, panel
from migrations_tool.flip.sight import Seat
from migrations_tool.flip.switching import hold_back, look_from
from migrations_tool.models import CodingComparison, ConnectionMigration
from migrations_tool.proofs import newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Path, Step
from migrations_tool.wizard import Gate, Refused
from migrations_tool.work import Work
from syncing import poll_schedule
from syncing.models import SyncItem


class CutoverHandler(Handler):
    step = Step.CUTOVER
    watch_every = timedelta(seconds=30)

    def check(self, work: Work) -> None:
        """Look for duplicates anew, and measure the codings if nobody has yet."""
        _must_be_live(work)
        suspects = duplicates.check(work)
        if not CodingComparison.objects.filter(migration=work.migration).exists():
            codings.compare(work)
        work.say(
            f"{len(suspects)} to look at: they may have been booked before."
            if suspects
            else "Checked. Nothing was booked before by another."
        )

    def apply(self, work: Work) -> None:
        """Look what may have been booked before, send the first object of each type that was not,
        and measure the codings."""
        _must_be_live(work)
        duplicates.check(work)
        chosen = canaries.send(work)
        if chosen.stale or chosen.empty:
            poll_schedule.fetch_soon(work.migration.connection_id)
        codings.compare(work)
        work.say(_told(chosen), _fix(chosen))

    def undo(self, work: Work) -> None:
        """Post nothing, and take the canaries' documents back; or give the migration up."""
        from migrations_tool import rollback  # the engine, which knows this step, is behind it

        if because := str(work.settings.get("abandon", "")):
            rollback.abandon(work, because)
            return
        for object_type in SyncItem.ObjectType.values:
            hold_back(work.connection, object_type, actor=work.actor)
        reversed_ones = canaries.reverse(work)
        count = len(reversed_ones)
        work.evidence(
            "cutover.reversed",
            f"Every type is paused. Documents of canaries reversed: {count}.",
            is_good=True,
            counts={"reversed": count},
        )
        work.say(
            f"Every type is paused, and {count} documents were reversed in the ERP.",
            "In Ramp those objects stay marked as synced: the item's page says how to go on.",
        )

    def completed(self, work: Work) -> None:
        """What was held back goes."""
        released = [
            one
            for one in SyncItem.ObjectType.values
            if canaries.release(work.migration, one, actor=work.actor)
        ]
        if released:
            work.evidence(
                "cutover.released",
                f"Everything is posted from now on: {len(released)} types were held back.",
                is_good=True,
                result={"types": released},
            )

    def is_watching(self, migration: ConnectionMigration) -> bool:
        """The step's status follows the canaries, which the engine posts."""
        return migration.canaries.filter(ticked_at=None).exists()

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return conditions.gates(migration, now)

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],
        now: datetime,  # noqa: ARG002  of the interface
    ) -> dict[str, Any]:
        return panel.context(migration, asked=asked)


def _must_be_live(work: Work) -> None:
    """Look in Ramp who has the seat now: whoever has it may book the same objects.

    :raises Refused: before the switch, when Ramp sends us nothing; or when it is taken back
    """
    migration = work.migration
    if migration.path != Path.MIGRATION:
        return
    if migration.flipped_at is None:
        raise Refused("The customer has not switched yet. Nothing comes to us before.")
    if newest(migration, "flip.stopped") is not None:
        raise Refused("The switch is being taken back: nothing is posted any more. See step 11.")
    if migration.new_connection_id is None:
        return
    seen = look_from(work)
    if seen.seat is not Seat.OURS:
        raise Refused(f"{seen.words} {seen.fix}")


def _told(chosen: canaries.Chosen) -> str:
    if chosen.sent:
        return f"On its way, one of each: {_labels(chosen.sent)}."
    return "Nothing new was sent: what is ready has gone already, or nothing is ready."


def _fix(chosen: canaries.Chosen) -> str:
    said = []
    if chosen.stale:
        said.append(f"Being read again from Ramp: {_labels(chosen.stale)}. Send again in a minute.")
    if chosen.doubtful:
        said.append(
            f"Held back, for it may have been booked before: {_labels(chosen.doubtful)}. Look at"
            " what is listed below first, then send again."
        )
    if chosen.empty:
        said.append(f"Nothing is ready of: {_labels(chosen.empty)}.")
    return " ".join(said)


def _labels(types: Sequence[str]) -> str:
    return ", ".join(SyncItem.ObjectType(one).label.lower() for one in types)
