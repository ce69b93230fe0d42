"""Step 11: mark ready, watch for the customer's switch, and the ways back from it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from migrations_tool.flip import earlier, marking, panel, switching
from migrations_tool.models import ConnectionMigration
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate, Light, Refused, Status
from migrations_tool.work import Work


class FlipHandler(Handler):
    step = Step.FLIP
    watch_every = timedelta(seconds=20)

    def check(self, work: Work) -> None:
        """Look who has the seat."""
        if work.migration.marked_ready_at is None:
            work.say("Nothing is marked ready yet.", "Mark it once the earlier steps are done.")
            return
        seen = switching.look(work)
        work.say(seen.words, seen.fix)

    def apply(self, work: Work) -> None:
        """Mark our connection ready, after everything before was looked at once more."""
        if work.migration.flipped_at is not None:
            raise Refused("The customer has switched already. There is nothing left to mark.")
        earlier.check_all(work, Step.FLIP)
        marking.mark(work)
        label = work.connection.ramp_provider_name
        work.say(
            f"Marked ready. The customer finds “{label}” under Switch Providers.",
            "Send them the link. This page shows the switch within a minute.",
        )

    def undo(self, work: Work) -> None:
        """Before the switch: give up what was begun. After it: stop, and wait for the old one."""
        from migrations_tool import rollback

        if because := str(work.settings.get("abandon", "")):
            rollback.abandon(work, because)
            return
        if because := str(work.settings.get("end_as_it_is", "")):
            rollback.end_as_it_is(work, because)
            return
        if work.migration.flipped_at is None:
            self._withhold(work)
            return
        rollback.stop(work)
        if rollback.verify(work):
            work.say("The old connection is active again. The migration is rolled back.")
            return
        work.say(
            "Stopped: nothing is posted any more. The customer has to reconnect the old provider.",
            "Send them the way back below. This page shows when Ramp has it.",
        )

    def _withhold(self, work: Work) -> None:
        """Nobody is to switch now: the customer's links end. Ramp has no call that unmarks."""
        from migrations_tool import sharing

        sharing.revoke_all(work.migration, actor=work.actor, now=work.clock())
        if work.migration.marked_ready_at is None:
            work.say("Nothing was marked ready. The customer's links have ended.")
            return
        work.say(
            "The customer's links have ended. Nothing is switched, and nothing is posted.",
            "Ramp documents no call that unmarks: ask the customer not to choose"
            f" “{work.connection.ramp_provider_name}” until you say so.",
        )

    def is_watching(self, migration: ConnectionMigration) -> bool:
        """From the marking until the cutover check is done, and while a way back is open."""
        if migration.marked_ready_at is None:
            return False
        return not earlier.is_over(migration, Step.CUTOVER) or _is_being_taken_back(migration)

    def watch(self, work: Work) -> None:
        if _is_being_taken_back(work.migration):
            from migrations_tool import rollback

            rollback.verify(work)
            return
        switching.look(work)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        marked = gate_of_evidence(
            newest(migration, "flip.marked"),
            "flip.marked",
            "Our connection is marked ready",
            now=now,
            fix="Mark it again.",
        )
        return (marked, _switched(migration, now))

    def waits_for(self, migration: ConnectionMigration) -> Status | None:
        is_theirs = migration.marked_ready_at is not None and migration.flipped_at is None
        if is_theirs or _is_being_taken_back(migration):
            return Status.WAITING_FOR_CUSTOMER
        return None

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  of the interface
        now: datetime,
    ) -> dict[str, Any]:
        return panel.context(migration, now=now)


def _switched(migration: ConnectionMigration, now: datetime) -> Gate:
    code, title = "flip.switched", "The customer has switched, and the old connection is left"
    seen = newest(migration, code)
    if seen is not None and not seen.is_good and not seen.result.get("needs_attention"):
        # Not done yet is no fault of anybody's: it is waited for.
        return Gate(code, title, Light.UNKNOWN, seen.text, "Nothing to do: it is looked for.")
    return gate_of_evidence(
        seen, code, title, now=now, fix="Nothing is posted until Ramp shows the switch."
    )


def _is_being_taken_back(migration: ConnectionMigration) -> bool:
    return newest(migration, "flip.stopped") is not None
