"""A server of ERPs that lets requests hang must not hold up those that answer (fault S8).

A request that hangs holds a thread until it is given up, and each customer finds out by itself. So
once one request was given up, the customers of that server take turns: two at a time, with one
document each, however many they are. With the first answer all go on. Nothing of this costs
a statement while every server answers, for then there is no row (docs/adr/0042).
"""

import uuid
from enum import StrEnum

from syncing.statements import execute

HUNG = "erp.timeout"
"""What a failure is called whose request was given up; one that is refused at once holds nobody."""
ANSWERED_WITHIN_SECONDS = 60
"""About the longest call: who was answered within this was answered while the other waited."""
TRIAL_SECONDS = 90
"""How long a place is held unless it is given back: the longest call, and time to write it down."""
FORGOTTEN_AFTER = "5 minutes"
"""Since nobody was left waiting any more: then nobody knows, and everybody may try."""


class Place(StrEnum):
    """Of two customers that may try a silent server, which one a worker is for."""

    KNOWN = "known"
    """It has left this one without an answer before."""
    FRESH = "fresh"
    """It has not: perhaps it answers this one."""


def _of(connection: str) -> str:
    return (
        "syncing_silenthost h JOIN connections_erpaddress a USING (host)"
        f" WHERE a.connection_id = {connection}"
        f" AND h.silent_at > now() - interval '{FORGOTTEN_AFTER}'"
    )


def is_silent(connection: str) -> str:
    """SQL: whether the server of this connection's ERP is silent.

    :param connection: SQL for its key
    """
    return f"EXISTS (SELECT FROM {_of(connection)})"


def since(connection: str) -> str:
    """SQL: since when it has been silent; NULL where it answers, or nobody knows.

    :param connection: SQL for its key
    """
    return f"(SELECT h.silent_since FROM {_of(connection)})"  # noqa: S608  constants


HOST = f"(SELECT h.host FROM {_of('%(connection)s')})"  # noqa: S608  constants
"""SQL: the silent server of a connection's ERP; NULL where it answers, or nobody knows."""
IS_TAKEN = (
    f"EXISTS (SELECT FROM {_of('s.connection_id')} AND now() <"
    " CASE WHEN s.erp_failures > 0 THEN h.known_until ELSE h.fresh_until END)"
)
"""SQL: whether others hold the place that the connection of a schedule `s` would need."""


def fell_silent(connection_id: uuid.UUID) -> None:
    """A request of this customer was given up. Unless the server has answered others meanwhile,
    its customers take turns from now on."""
    execute(
        """
        INSERT INTO syncing_silenthost (host, silent_since, silent_at)
        SELECT a.host, now(), now() FROM connections_erpaddress a
        WHERE a.connection_id = %(connection)s AND NOT EXISTS (
            SELECT FROM connections_erpaddress o JOIN syncing_schedule s USING (connection_id)
            WHERE o.host = a.host AND o.connection_id <> a.connection_id
              AND s.last_posted_at > now() - %(within)s * interval '1s')
        ON CONFLICT (host) DO UPDATE
        SET silent_at = now(), silent_since = CASE
            WHEN syncing_silenthost.silent_at > now() - %(forgotten)s::interval
            THEN syncing_silenthost.silent_since ELSE now() END
        """,
        {
            "connection": connection_id,
            "within": ANSWERED_WITHIN_SECONDS,
            "forgotten": FORGOTTEN_AFTER,
        },
    )


def answered(connection_id: uuid.UUID) -> None:
    """The server has answered this customer, whatever it said: all its customers go on."""
    execute(
        "DELETE FROM syncing_silenthost h USING connections_erpaddress a"
        " WHERE a.connection_id = %s AND h.host = a.host",
        [connection_id],
    )


def take_place(host: str, place: Place, token: uuid.UUID) -> bool:
    """Take a place at a silent server, or keep it. False if another has it, or it has answered.

    Of two workers at the same moment one waits for the other's row, and then finds it taken.
    """
    return bool(
        execute(
            f"""
            UPDATE syncing_silenthost
            SET {place}_token = %(token)s, {place}_until = now() + %(seconds)s * interval '1s'
            WHERE host = %(host)s AND ({place}_token = %(token)s
                OR {place}_until IS NULL OR {place}_until < now())
            """,  # noqa: S608  one of two words
            {"host": host, "token": token, "seconds": TRIAL_SECONDS},
        )
    )


def give_place_back(host: str, place: Place, token: uuid.UUID) -> None:
    """Let the next customer of the server try."""
    execute(
        f"UPDATE syncing_silenthost SET {place}_token = NULL, {place}_until = NULL"  # noqa: S608
        f" WHERE host = %s AND {place}_token = %s",
        [host, token],
    )
