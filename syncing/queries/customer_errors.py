"""What is wrong at one customer, cause by cause: how many, how much, how old, who cares for it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from rampbridge.lib.money import Money
from syncing.queries.words import LOOKS, PARTY_LABELS, Look, Party, Word, party_of, word_of
from syncing.statements import rows

SHOWN = 30
AGES_READ = 2_000
"""Of a customer's open items so many, the oldest, are looked at for the age of its causes."""


@dataclass(frozen=True, slots=True)
class Cause:
    """One group of errors, as far as it holds items of this customer."""

    fingerprint: str
    code: str
    title: str
    word: Word
    items: int
    sums: Sequence[Money]
    owner: str
    oldest_at: datetime | None
    """None: younger than the many oldest items of the customer."""

    @property
    def look(self) -> Look:
        return LOOKS[self.word]

    @property
    def party_label(self) -> str:
        return PARTY_LABELS[party_of(self.word, "")]

    @property
    def party(self) -> Party:
        return party_of(self.word, "")


def causes(connection_id: uuid.UUID) -> list[Cause]:
    """What is open for a cause, in the order of urgency; one statement, from the roll-up."""
    found = rows(
        """
        WITH held AS (
            SELECT fingerprint, state, error_category, currency, exponent,
                sum(items)::bigint AS items, sum(amount_minor)::bigint AS minor
            FROM syncing_errorcount WHERE connection_id = %(connection)s
            GROUP BY 1, 2, 3, 4, 5 HAVING sum(items) > 0
        ), oldest AS (
            SELECT error_fingerprint, min(ready_at) AS at FROM (
                SELECT error_fingerprint, ready_at FROM syncing_syncitem
                WHERE connection_id = %(connection)s
                    AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
                ORDER BY ready_at LIMIT %(ages)s) open
            GROUP BY 1
        )
        SELECT h.fingerprint, g.code, g.title, g.owner, h.state, h.error_category, h.items,
            h.minor, h.currency, h.exponent, o.at
        FROM held h JOIN syncing_errorgroup g USING (fingerprint)
        LEFT JOIN oldest o ON o.error_fingerprint = h.fingerprint
        ORDER BY h.fingerprint, h.items DESC, h.currency
        """,
        {"connection": connection_id, "ages": AGES_READ},
    )
    order = list(Word)
    merged = [_cause(list(lines)) for _, lines in groupby(found, key=lambda row: row[0])]
    merged.sort(key=lambda one: (order.index(one.word), -one.items, one.fingerprint))
    return merged[:SHOWN]


def _cause(lines: Sequence[tuple[object, ...]]) -> Cause:
    """One group of which items stand in several states is where most of them stand."""
    fingerprint, code, title, owner, state, category, *_, oldest_at = lines[0]
    totals: dict[str, Money] = {}
    for line in lines:
        money = Money(int(str(line[7])), str(line[8]), int(str(line[9])))
        before = totals.get(money.currency)
        totals[money.currency] = before + money if before else money
    return Cause(
        fingerprint=str(fingerprint),
        code=str(code),
        title=str(title),
        word=word_of(str(state), str(category)),
        items=sum(int(str(line[6])) for line in lines),
        sums=[one for one in totals.values() if one],
        owner=str(owner),
        oldest_at=oldest_at if isinstance(oldest_at, datetime) else None,
    )
