# ruff: noqa: ARG002  the arguments are for the steps that override these methods
"""What each step has to know how to do. The engine calls nothing else of a step."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from migrations_tool.models import ConnectionMigration
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate, Status
from migrations_tool.work import Work


class Handler:
    """One step. Its methods raise `wizard.Refused` with words if something may not be done, and let
    errors of Ramp and the ERP pass: the engine tells them in words and tries again where that
    helps.
    """

    step: Step
    watch_every: timedelta | None = None
    """How often a worker looks by itself while the step is open."""

    def check(self, work: Work) -> None:
        """Look at both sides and keep evidence. Done before every `complete` too."""

    def plan(self, work: Work) -> None:
        """Keep what applying would do. Changes nothing outside."""

    def apply(self, work: Work) -> None:
        """Do what is missing. Again does only what is still missing."""

    def undo(self, work: Work) -> None:
        """Take back what applying did."""

    def completed(self, work: Work) -> None:
        """Do what follows from the step being done. May be called again if a worker dies in it."""

    def watch(self, work: Work) -> None:
        """Look by itself, as `watch_every` says."""

    def is_watching(self, migration: ConnectionMigration) -> bool:
        """Whether there is something to watch now."""
        return False

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        """The conditions as our rows know them; nothing is called. Waivers are laid over later."""
        return ()

    def waits_for(self, migration: ConnectionMigration) -> Status | None:
        """Whose move it is, if the step itself is not ours to go on with."""
        return None

    def panel(
        self, migration: ConnectionMigration, *, asked: Mapping[str, str], now: datetime
    ) -> dict[str, Any]:
        """What the step's template shows.

        :param asked: the parameters of the page's address
        """
        return {}
