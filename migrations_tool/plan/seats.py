"""Which path a customer takes, read off the connections that Ramp lists (R-87). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from connections.ramp.schemas import AccountingConnection
from migrations_tool.steps import Path


@dataclass(frozen=True, slots=True)
class Seat:
    """Who has the business's one active connection, and what follows from it."""

    path: Path | None
    """None if Ramp shows something that nobody here has a path for."""
    why: str
    fix: str = ""
    holder: AccountingConnection | None = None
    is_ours: bool = False


def seat_among(
    connections: Sequence[AccountingConnection], *, ours: UUID | None, label: str
) -> Seat:
    """Say which path Ramp's list leads to.

    :param ours: the id of our connection at this business, if it has one
    :param label: what ours is called in Ramp
    """
    live = [one for one in connections if one.is_live]
    if not live:
        return Seat(Path.FRESH, "The seat is free: Ramp shows no active accounting connection.")
    if len(live) > 1:
        names = ", ".join(name_of(one) for one in live)
        return Seat(
            None,
            f"Ramp shows {len(live)} active connections where it allows one: {names}.",
            "Ask Ramp's support which of them is in use and have the others ended. Check again"
            " then.",
        )
    holder = live[0]
    is_ours = holder.id == ours or (holder.is_api and holder.remote_provider_name == label)
    if is_ours:
        why = f"{name_of(holder)} has the seat already, and that is us."
        return Seat(Path.FRESH, why, holder=holder, is_ours=True)
    match holder.connection_type.upper():
        case "CSV":
            why = f"{name_of(holder)} is fed by CSV files. Ramp turns such a connection into ours."
            return Seat(Path.FRESH, why, holder=holder)
        case "DIRECT":
            why = f"{name_of(holder)} has the seat, as a direct integration that Ramp runs itself."
            return Seat(Path.MIGRATION, why, holder=holder)
        case "API" | "":
            why = f"{name_of(holder)} has the seat, through Ramp's API."
            return Seat(Path.MIGRATION, why, holder=holder)
        case _:
            return Seat(
                None,
                f"{name_of(holder)} has the seat, and Ramp calls its type"
                f" “{holder.connection_type}”, a word that is not known here.",
                "Nothing is guessed. Ask Ramp's support what it means for a switch of providers.",
                holder,
            )


def name_of(connection: AccountingConnection) -> str:
    return connection.remote_provider_name or "A connection without a name"
