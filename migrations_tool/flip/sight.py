"""What Ramp's list of connections says of the switch. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from connections.ramp.schemas import AccountingConnection
from migrations_tool.flip.preconditions import name_of


class Seat(StrEnum):
    """Who has the business's one active seat, as seen from a migration."""

    OLD = "old"
    """As before: the customer has not switched."""
    OURS = "ours"
    OTHER = "other"
    """Neither the old one nor ours."""
    NOBODY = "nobody"
    BOTH = "both"
    """Ramp shows two at once, which it says cannot be."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How it looked at one moment."""

    seat: Seat
    words: str
    fix: str = ""
    is_offered: bool = False
    """Ours can be chosen under Switch Providers."""
    is_listed: bool = True
    """Ramp knows our connection."""


def look(
    connections: Sequence[AccountingConnection],
    *,
    new_id: UUID | None,
    old_id: UUID | None,
    label: str,
    was_switched: bool,
) -> Sight:
    """Tell whose seat it is, and what is to be done about it.

    :param label: the name of ours under Switch Providers
    :param was_switched: the switch to ours was seen before
    """
    ours = next((one for one in connections if one.id == new_id), None)
    live = [one for one in connections if one.is_live]
    others = [one for one in live if one.id != new_id]
    seat = _seat(live, new_id, old_id)
    words, fix = _words(
        seat, name_of(others[0]) if others else "", label, was_switched=was_switched
    )
    if ours is None:
        words = f"Ramp no longer lists our connection “{label}”."
        fix = "Stop. Take back step 6 and create it anew; nothing can be switched to before."
    is_offered = ours is not None and ours.is_ready_to_migrate and not ours.is_live
    return Sight(seat, words, fix, is_offered, ours is not None)


def _seat(live: Sequence[AccountingConnection], new_id: UUID | None, old_id: UUID | None) -> Seat:
    ids = {one.id for one in live}
    if not ids:
        return Seat.NOBODY
    if ids == {new_id}:
        is_fed_by_us = all(one.is_api for one in live)
        return Seat.OURS if is_fed_by_us else Seat.OTHER
    if new_id in ids:
        return Seat.BOTH
    return Seat.OLD if ids == {old_id} else Seat.OTHER


def _words(seat: Seat, other: str, label: str, *, was_switched: bool) -> tuple[str, str]:
    match seat:
        case Seat.OURS:
            return f"“{label}” is active and linked, and the old connection is not.", ""
        case Seat.OLD if was_switched:
            return (
                f"The old connection, {other}, is active again after the switch.",
                "Ask the customer whether they switched back. If they did not mean to, they switch"
                f" to “{label}” once more; if they did, take this step back.",
            )
        case Seat.OLD:
            return f"{other} is still active: the customer has not switched yet.", ""
        case Seat.OTHER:
            return (
                f"{other or 'Another provider'} is active now, not “{label}”.",
                f"The customer has chosen another name. Ask them to open Switch Providers again and"
                f" to choose “{label}”, exactly as it is written.",
            )
        case Seat.NOBODY:
            return (
                "No connection is active: the old one was disconnected without a switch.",
                f"Ask the customer to choose “{label}” under Switch Providers. If it is not offered"
                " there any more, they reconnect the old provider first.",
            )
        case Seat.BOTH:
            return (
                f"Ramp shows both “{label}” and {other} as active.",
                "Nothing is posted. Ask Ramp's support which of them is fed, and do not go on"
                " before they have answered.",
            )
