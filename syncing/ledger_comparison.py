"""Compare what we have reported with what the ERP still holds, document by document (X25)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from connections.erp.ledger_audit import AuditableErp, LedgerEntry
from connections.erp.records import State
from connections.models import Connection
from rampbridge.lib.money import Money
from syncing import findings
from syncing.statements import rows

CHUNK = 500
SETTLED = timedelta(hours=1)
"""Younger documents may not be in the ERP's index yet."""


@dataclass(frozen=True, slots=True)
class Reported:
    """One item that Ramp was told is booked."""

    id: int
    ref: str
    number: str
    money: Money


@dataclass(slots=True)
class Compared:
    """What a comparison has gone through and found, as numbers of items by kind."""

    items: int = 0
    documents: int = 0
    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def compare_with_ledger(
    connection: Connection, erp: AuditableErp, *, window: timedelta
) -> Compared:
    """Put every item right that was posted within the window and no longer agrees with the ERP.

    :raises ErpError: if the ERP cannot be asked; what was found until then stays
    """
    compared = Compared()
    for chunk in _reported(connection, window):
        entries = erp.entries_under([item.ref for item in chunk])
        compared.items += len(chunk)
        compared.documents += len(entries)
        _settle(chunk, entries, connection.erp_name, compared.found)
    return compared


def _reported(connection: Connection, window: timedelta) -> Iterator[Sequence[Reported]]:
    """Items with a document of their own, in the order of the index they are found by.

    A bill paid by card is confirmed with the bill's document and has none of its own.
    """
    last: tuple[object, int] | None = None
    while True:
        found = rows(
            """
            SELECT i.ready_at, i.id, i.erp_ref, i.erp_number, i.amount_minor, i.currency, i.exponent
            FROM syncing_syncitem i
            WHERE i.connection_id = %(connection)s AND i.state = 'ACKED' AND i.erp_ref <> ''
              AND i.posted_at BETWEEN now() - %(window)s AND now() - %(settled)s
              AND i.ready_at > now() - %(window)s
              AND (%(at)s::timestamptz IS NULL OR (i.ready_at, i.id) < (%(at)s, %(id)s))
            ORDER BY i.ready_at DESC, i.id DESC LIMIT %(limit)s
            """,
            {
                "connection": connection.pk,
                "window": window,
                "settled": SETTLED,
                "at": last[0] if last else None,
                "id": last[1] if last else None,
                "limit": CHUNK,
            },
        )
        if not found:
            return
        last = (found[-1][0], found[-1][1])
        yield [
            Reported(id_, ref, number, Money(minor, currency, exponent))
            for _, id_, ref, number, minor, currency, exponent in found
        ]


def _settle(
    chunk: Sequence[Reported],
    entries: Sequence[LedgerEntry],
    erp_name: str,
    found: dict[str, int],
) -> None:
    by_ref: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_ref[entry.ref or entry.reverses].append(entry)
    wrong = {
        item.id: why
        for item in chunk
        if (why := difference(item, by_ref[item.ref], erp_name=erp_name))
    }
    renumbered = {
        item.id: (item.number, entry.number)
        for item in chunk
        if item.id not in wrong
        for entry in by_ref[item.ref]
        if entry.ref and entry.number and entry.number != item.number
    }
    if wrong:
        found["booked_otherwise"] += len(findings.disagree(wrong, code=findings.BOOKED_OTHERWISE))
    if renumbered:
        found["renumbered"] += len(findings.renumber(renumbered))


def difference(item: Reported, entries: Sequence[LedgerEntry], *, erp_name: str) -> str:
    """How the ERP's books differ from what Ramp was told, in words; empty if they do not. Pure."""
    booked = [entry for entry in entries if entry.ref]
    if not booked:
        return (
            f"{item.number} is no longer in {erp_name}. It was deleted there after it was reported."
        )
    if len(booked) > 1:
        numbers = " and ".join(entry.number or entry.erp_id for entry in booked)
        return f"It stands in {erp_name} more than once: {numbers}."
    (entry,) = booked
    if any(other.reverses for other in entries) or entry.state is State.VOID:
        return f"{entry.number or item.number} was taken back in {erp_name} after it was reported."
    if entry.state is not State.POSTED:
        return f"{item.number} is no longer posted in {erp_name}; it is a draft again."
    return _other_amount(item, entry, erp_name)


def _other_amount(item: Reported, entry: LedgerEntry, erp_name: str) -> str:
    if entry.is_over(item.money.decimal) and entry.currency in ("", item.money.currency):
        return ""
    total = entry.debit if entry.total is None else entry.total
    there = f"{total} {entry.currency or item.money.currency}"
    return f"{entry.number} is over {there} in {erp_name}, and over {item.money} in Ramp."
