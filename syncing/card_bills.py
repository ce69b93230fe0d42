"""Which card transactions pay which bills, and how far the bills have come (F-07)."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connections.models import Connection
from connections.ramp.spend import Bill
from rampbridge.lib.money import Money
from syncing import releases
from syncing.billing import BillItem, Wait, cause_of_waiting, waits_for
from syncing.cannot_post import CardDoesNotFitBill, PaysUnknownBill
from syncing.claims import Claimed
from syncing.posting.card_payments import PaidBill
from syncing.statements import rows

EXPENSE_TWICE = "erp.expense_twice"


@dataclass(frozen=True, slots=True)
class _Link:
    """One card that pays one bill."""

    bill_id: uuid.UUID
    card_id: uuid.UUID
    amount: Money | None
    """Of the card's transaction, if it has come."""
    bill: BillItem | None
    body: str | None


@dataclass(frozen=True, slots=True)
class Settles:
    """What a card transaction pays, ready to be settled."""

    paid: Sequence[PaidBill]
    other_cards: Sequence[Money | None] = field(default_factory=tuple)


def keep_links(connection_id: uuid.UUID, paid: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    """Remember which transactions pay which bills.

    :param paid: ids of the transaction and of the bill

    A transaction that did not fit the bills known so far is looked at again with a new one.
    """
    if not paid:
        return
    linked = rows(
        """
        INSERT INTO syncing_cardpayment (connection_id, transaction_ramp_id, bill_ramp_id)
        SELECT %s, transaction_id, bill_id
        FROM unnest(%s::uuid[], %s::uuid[]) AS p(transaction_id, bill_id)
        ORDER BY transaction_id, bill_id
        ON CONFLICT (connection_id, transaction_ramp_id, bill_ramp_id) DO NOTHING
        RETURNING transaction_ramp_id
        """,
        [connection_id, [card for card, _ in paid], [bill for _, bill in paid]],
    )
    if not linked:
        return
    held = rows(
        """
        SELECT id FROM syncing_syncitem
        WHERE connection_id = %s AND object_type = 'transaction' AND ramp_id = ANY(%s)
          AND state = 'FAILED' AND error_code = ANY(%s)
        """,
        [connection_id, [card for (card,) in linked], list(_MAY_FIT_LATER)],
    )
    if held:
        ids = [item_id for (item_id,) in held]
        releases.release(connection_id, ids=ids, why="Ramp has named another bill that it pays.")


_MAY_FIT_LATER = tuple(f"data.{one.code}" for one in (CardDoesNotFitBill, PaysUnknownBill))


Links = Mapping[uuid.UUID, Sequence[_Link]]
"""By the bill's id."""


def links_of(connection_id: uuid.UUID, cards: Sequence[Claimed]) -> Links:
    """All cards of the bills that these transactions pay; one statement.

    Look with the transactions locked: their release by a bill's posting then comes after.
    """
    found = rows(
        """
        WITH paid AS (
            SELECT DISTINCT bill_ramp_id FROM syncing_cardpayment
            WHERE connection_id = %(connection)s AND transaction_ramp_id = ANY(%(cards)s)
        )
        SELECT c.bill_ramp_id, c.transaction_ramp_id, t.amount_minor, t.currency, t.exponent,
               coalesce(pp.ramp, bp.ramp)::text,
               b.id, b.label, b.state, b.erp_id, b.erp_number, b.erp_url
        FROM paid JOIN syncing_cardpayment c ON c.bill_ramp_id = paid.bill_ramp_id
            AND c.connection_id = %(connection)s
        LEFT JOIN syncing_syncitem t ON t.connection_id = %(connection)s
            AND t.object_type = 'transaction' AND t.ramp_id = c.transaction_ramp_id AND t.phase = 0
        LEFT JOIN syncing_syncitem b ON b.connection_id = %(connection)s
            AND b.object_type = 'bill' AND b.ramp_id = c.bill_ramp_id AND b.phase = 0
        LEFT JOIN syncing_itempayload bp ON bp.item_id = b.id
        LEFT JOIN syncing_syncitem p ON p.connection_id = %(connection)s
            AND p.object_type = 'bill_payment' AND p.ramp_id = c.bill_ramp_id AND p.phase = 1
        LEFT JOIN syncing_itempayload pp ON pp.item_id = p.id
        ORDER BY c.bill_ramp_id, c.transaction_ramp_id
        """,
        {"connection": connection_id, "cards": [card.ramp_id for card in cards]},
    )
    links: dict[uuid.UUID, list[_Link]] = defaultdict(list)
    for bill_id, card_id, minor, currency, exponent, body, item_id, *bill in found:
        links[bill_id].append(
            _Link(
                bill_id,
                card_id,
                None if minor is None else Money(minor, currency, exponent),
                None if item_id is None else BillItem(item_id, *bill),
                body,
            )
        )
    return links


def next_step(card: Claimed, links: Links) -> Wait | Settles:
    """What to do about a card transaction that pays bills. Pure.

    :raises CannotPost: if a person must decide
    :raises SchemaSurprise: if a bill's body is not as Ramp's contract says
    """
    mine = [link for of_bill in links.values() for link in of_bill if link.card_id == card.ramp_id]
    paid = []
    for link in mine:
        bill = link.bill
        if link.body is None or (bill is None and not Bill.parse(link.body).remote_id):
            raise PaysUnknownBill
        if bill is not None and not (bill.is_booked or bill.is_elsewhere):
            return Wait(cause_of_waiting(link.bill_id), waits_for(bill))
        is_ours = bill is not None and bill.is_booked
        paid.append(PaidBill(Bill.parse(link.body), is_ours))
    others = {
        link.card_id: link.amount
        for one in mine
        for link in links[one.bill_id]
        if link.card_id != card.ramp_id
    }
    return Settles(paid, tuple(others.values()))


def booked_as_expenses(
    connection_id: uuid.UUID, bill_ids: Sequence[uuid.UUID]
) -> Mapping[uuid.UUID, str]:
    """The bills among these whose card transactions stand in the ERP as expenses, with the
    numbers of those documents."""
    found = rows(
        """
        SELECT c.bill_ramp_id, string_agg(t.erp_number, ' and ' ORDER BY t.id)
        FROM syncing_cardpayment c
        JOIN syncing_syncitem t ON t.connection_id = c.connection_id
            AND t.object_type = 'transaction' AND t.ramp_id = c.transaction_ramp_id AND t.phase = 0
        JOIN syncing_itempayload p ON p.item_id = t.id
        WHERE c.connection_id = %s AND c.bill_ramp_id = ANY(%s)
          AND t.erp_id <> '' AND p.document ->> 'kind' = 'journal'
        GROUP BY c.bill_ramp_id
        """,
        [connection_id, list(bill_ids)],
    )
    return dict(found)


def twice_words(numbers: str) -> str:
    """Of a bill's payment, whose card transactions were posted as expenses."""
    return f"The expense stands twice: {numbers} was posted before Ramp said that it pays a bill."


def find_twice(connection: Connection) -> int:
    """Reported card transactions that were posted as expenses and pay a bill that we or others put
    into the ERP: MISMATCH, until a person has rebooked them. Returns how many; each is found once.
    """
    found = rows(
        """
        WITH twice AS (
            SELECT t.id, left('The expense stands twice: ' || t.erp_number || ' was posted before'
                || ' Ramp said that it pays ' || min(CASE WHEN b.erp_id <> ''
                    THEN 'the bill ' || b.erp_number || ' of ' || b.label
                    ELSE 'a bill of ' || b.label || ' that was synced outside of us' END)
                || '.', 300) AS title
            FROM syncing_cardpayment c
            JOIN syncing_syncitem t ON t.connection_id = c.connection_id
                AND t.object_type = 'transaction' AND t.ramp_id = c.transaction_ramp_id
                AND t.phase = 0
            JOIN syncing_itempayload p ON p.item_id = t.id
            JOIN syncing_syncitem b ON b.connection_id = c.connection_id
                AND b.object_type = 'bill' AND b.ramp_id = c.bill_ramp_id AND b.phase = 0
            WHERE c.connection_id = %(connection)s AND t.state = 'ACKED'
              AND (b.erp_id <> '' OR b.state = 'EXTERNAL')
              AND p.document ->> 'kind' = 'journal' AND NOT EXISTS (
                SELECT FROM syncing_itemevent e WHERE e.item_id = t.id
                AND e.kind = 'reconciled' AND e.data ->> 'code' = %(code)s)
            GROUP BY t.id
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'MISMATCH', state_at = now(), due_at = NULL, error_at = now(),
                error_category = 'needs_integrator', error_origin = 'erp', error_code = %(code)s,
                error_title = twice.title, error_fix = %(fix)s, error_text = ''
            FROM twice WHERE i.id = twice.id AND i.state = 'ACKED'
            RETURNING i.id, twice.title
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'reconciled', title || ' ' || %(fix)s,
               jsonb_build_object('code', %(code)s::text), ''
        FROM moved ORDER BY id RETURNING item_id
        """,
        {
            "connection": connection.pk,
            "code": EXPENSE_TWICE,
            "fix": f"Rebook it in {connection.erp_name} from the expense to what the vendor is"
            " owed.",
        },
    )
    return len(found)
