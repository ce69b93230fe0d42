"""How a customer's connection is as a whole, and whose move it is: the rules, over facts. Pure.

The single customer's page and the fleet's lines both follow from here.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.models import Connection
from syncing.models import Schedule
from syncing.queries.words import Look, Party, Word, type_label

SLOW_AFTER = timedelta(minutes=15)
"""Due for longer than this and still not taken: something is slow."""
POLLS_UNTIL_WORRY = 3


@dataclass(frozen=True, slots=True)
class Health(Look):
    """How a connection is doing as a whole; the higher the severity, the sooner to look."""

    severity: int = 0


HEALTHS = (
    "Working",
    "Slow",
    "Partly paused",
    "Paused",
    "ERP silent",
    "Ramp silent",
    "Blocked",
    "Setting up",
    "Not connected",
)
"""Every word that a customer of the list can have, the good news first."""
_LOOKS = {
    "Working": ("done", "circle-check"),
    "Slow": ("customer", "hourglass"),
    "Partly paused": ("neutral", "pause"),
    "Paused": ("neutral", "pause"),
    "ERP silent": ("retry", "rotate-ccw"),
    "Ramp silent": ("retry", "rotate-ccw"),
    "Blocked": ("person", "octagon-alert"),
    "Setting up": ("neutral", "wrench"),
    "Not connected": ("neutral", "unplug"),
    "Closed": ("neutral", "circle-slash"),
}
PAUSED_BY_US = 4
"""Severity of a pause that nobody has decided on."""


@dataclass(frozen=True, slots=True)
class Paused:
    """What is not posted for a customer, and why."""

    object_type: str
    """Empty: nothing at all is."""
    reason: str
    is_automatic: bool

    @property
    def what(self) -> str:
        return f"{type_label(self.object_type)}s" if self.object_type else "Everything"


def look(word: str, meaning: str = "", severity: int = 0) -> Health:
    """The look of a word of `HEALTHS`."""
    tone, icon = _LOOKS.get(word, ("neutral", "circle-help"))
    if word == "Partly paused" and severity == PAUSED_BY_US:
        tone = "person"
    return Health(word, tone, icon, meaning, severity)


def silence(erp_name: str, since: datetime) -> str:
    """What it means that the server of an ERP lets requests hang, for each customer on it."""
    return (
        f"The server of {erp_name} has not answered since {since:%-d %b %H:%M} UTC. Its"
        " customers take turns, one document at a time; with its first answer all go on."
    )


def health_of(
    connection: Connection,
    schedule: Schedule | None,
    overdue_since: datetime | None,
    now: datetime,
    paused: Sequence[Paused] = (),
    host_silent_since: datetime | None = None,
) -> Health:
    """The word for a connection as a whole, and the sentence that explains it."""
    stage = Connection.Stage
    if connection.stage == stage.SETTING_UP:
        return look("Setting up", "Nothing is exported yet.", 1)
    if connection.stage == stage.CLOSED:
        return look("Closed", "This connection is closed.")
    if connection.stage == stage.PAUSED:
        reason = connection.paused_reason or "No reason was given."
        return look("Paused", f"Exports are paused. {reason}", 3)
    if schedule is None:
        return look("Not connected", "It has never been scheduled.", 3)
    everything = next((one for one in paused if not one.object_type), None)
    if everything:
        return look("Paused", f"Nothing is posted. {everything.reason}", 3)
    if schedule.blocked_at:
        title = schedule.blocked_title or "Something stops this connection."
        return look("Blocked", title, 5)
    if host_silent_since:
        return look("ERP silent", silence(connection.erp_name, host_silent_since), 4)
    if schedule.resume_at and schedule.resume_at > now:
        meaning = f"{connection.erp_name} does not answer. We try again by ourselves."
        return look("ERP silent", meaning, 4)
    if schedule.poll_failures >= POLLS_UNTIL_WORRY:
        return look("Ramp silent", "Ramp does not answer our polls.", 4)
    if paused:
        return _partly_paused(paused)
    if overdue_since and now - overdue_since > SLOW_AFTER:
        return look("Slow", "Items have been due for over a quarter of an hour.", 2)
    return look("Working", "Items go through.")


def _partly_paused(paused: Sequence[Paused]) -> Health:
    """A pause that nobody has decided on is ours to look at, so it counts for more."""
    names = " or ".join(one.what.lower() for one in paused)
    is_ours = any(one.is_automatic for one in paused)
    return look("Partly paused", f"No {names} are posted.", PAUSED_BY_US if is_ours else 2)


def whose_move(schedule: Schedule | None, words: Counter[Word], paused: Sequence[Paused]) -> Party:
    """Who has to act for the customer to be well: the hardest to move first."""
    if (schedule and schedule.blocked_at) or any(one.is_automatic for one in paused):
        return Party.US
    if words[Word.NEEDS_PERSON] or words[Word.UNCERTAIN]:
        return Party.US
    if words[Word.CUSTOMER]:
        return Party.CUSTOMER
    if words[Word.RETRYING]:
        return Party.ERP
    return Party.NOBODY
