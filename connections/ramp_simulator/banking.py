"""What happens on the card's account by itself: payments, cashbacks, and statements of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from connections.ramp_simulator.money_records import (
    Cashback,
    LineKind,
    Section,
    Statement,
    StatementLine,
    Transfer,
)
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Entity, SyncStatus, Transaction
from connections.ramp_simulator.transfers import STATUSES
from connections.ramp_simulator.world import World

Movement = Transaction | Cashback | Transfer

# A payment that comes back was complete before.
_DONE = {"COMPLETED", "RETURNED_BY_RDFI"}


def pay(
    world: World,
    business: str,
    *,
    minor: int,
    status: str = "INITIATED",
    entity_id: str | None = None,
    at: datetime | None = None,
) -> Transfer:
    """The card's account is paid out of the bank. Ready for the ERP once it is completed."""
    entity = _entity(world, business, entity_id)
    now = at or world.clock()
    row = Transfer(
        id=world.ids.uuid(),
        seq=world.ids.rank(),
        business=business,
        entity_id=entity.id,
        minor=minor,
        currency=entity.currency,
        sync_status=SyncStatus.NOT_SYNC_READY,
        updated_at=now,
        status=status,
        created_at=now,
        payment_id=world.ids.secret("P", 9).upper(),
        bank_account_id=str(uuid5(NAMESPACE_URL, f"{entity.id}/bank")),
    )
    _settle(row, status)
    return world.transfers.put(row)


def move(world: World, row: Transfer, status: str) -> None:
    """The banks have got on with it, or it has come back."""
    _settle(row, status)
    row.updated_at = world.clock()
    world.transfers.put(row)


def give_cashback(
    world: World,
    business: str,
    *,
    minor: int,
    entity_id: str | None = None,
    at: datetime | None = None,
) -> Cashback:
    """Ready for the ERP at once."""
    entity = _entity(world, business, entity_id)
    now = at or world.clock()
    return world.cashbacks.put(
        Cashback(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=business,
            entity_id=entity.id,
            minor=minor,
            currency=entity.currency,
            sync_status=SyncStatus.SYNC_READY,
            updated_at=now,
            created_at=now,
        )
    )


def close_statement(
    world: World,
    business: str,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
    entity_ids: Sequence[str] = (),
    opening: Mapping[str, int] | None = None,
) -> Statement:
    """Everything between two moments that is on no statement yet, by entity.

    It begins where the last one ended, if not told otherwise, and then also takes what cleared too
    late for that. `opening` is what each entity owed then, by its id; without it that is what its
    last statement left.
    """
    entities = [
        row for row in world.entities.of(business) if not entity_ids or row.id in entity_ids
    ]
    if not entities:
        raise NotPossible("This business has no such entity.")
    preceding = last_statement(world, business)
    end = end or world.clock()
    since = begin or world.business(business).created_at
    owed = {**_left(world, business), **(opening or {})}
    statement = Statement(
        id=world.ids.uuid(),
        seq=world.ids.rank(),
        business=business,
        currency=entities[0].currency,
        begin=begin or (preceding.end if preceding else since),
        end=end,
        preceding_id=preceding.id if preceding else None,
        sections=[
            Section(id=world.ids.uuid(), entity_id=row.id, opening=owed.get(row.id, 0))
            for row in entities
        ],
    )
    _fill(world, statement, since)
    return world.statements.put(statement)


def last_statement(world: World, business: str) -> Statement | None:
    return max(world.statements.of(business), key=lambda row: row.end, default=None)


def _entity(world: World, business: str, entity_id: str | None) -> Entity:
    """The one of that id, else the primary one."""
    for row in world.entities.of(business):
        if row.id == entity_id or (entity_id is None and row.is_primary):
            return row
    raise NotPossible("This business has no such entity.")


def _settle(row: Transfer, status: str) -> None:
    if status not in STATUSES:
        raise NotPossible(f"There is no transfer status {status}; there are {', '.join(STATUSES)}.")
    row.status = status
    if status in _DONE and row.sync_status is SyncStatus.NOT_SYNC_READY:
        row.sync_status = SyncStatus.SYNC_READY


def _left(world: World, business: str) -> dict[str, int]:
    """What each entity owed at the end of the last statement that it was on."""
    statements = sorted(world.statements.of(business), key=lambda row: row.end)
    sections = (section for statement in statements for section in statement.sections)
    return {section.entity_id: section.ending for section in sections}


def _fill(world: World, statement: Statement, since: datetime) -> None:
    sections = {section.entity_id: section for section in statement.sections}
    rows: list[tuple[Movement, StatementLine]] = [
        *_spent(world, statement.business),
        *_given(world, statement.business),
        *_paid(world, statement.business),
    ]
    for row, line in sorted(rows, key=lambda pair: (pair[1].created_at, pair[0].seq)):
        section = sections.get(row.entity_id)
        if section and row.statement_id is None and since <= line.created_at < statement.end:
            _count(section, row)
            statement.lines.append(line)
            row.statement_id = statement.id
            world.keep(row)


def _count(section: Section, row: Movement) -> None:
    if isinstance(row, Transfer):
        section.payments += row.minor
    elif isinstance(row, Cashback):
        section.credits += row.minor
    elif row.minor < 0:
        section.credits -= row.minor
    else:
        section.charges += row.minor


def _spent(world: World, business: str) -> Iterable[tuple[Transaction, StatementLine]]:
    for row in world.transactions.of(business):
        if row.state == "CLEARED":
            line = StatementLine(
                id=row.id,
                kind=LineKind.CARD_TRANSACTION,
                created_at=row.user_transaction_time,
                cleared_at=row.settlement_date,
            )
            yield row, line


def _given(world: World, business: str) -> Iterable[tuple[Cashback, StatementLine]]:
    for row in world.cashbacks.of(business):
        yield row, StatementLine(id=row.id, kind=LineKind.CASHBACK, created_at=row.created_at)


def _paid(world: World, business: str) -> Iterable[tuple[Transfer, StatementLine]]:
    for row in world.transfers.of(business):
        if row.status == "COMPLETED":
            line = StatementLine(
                id=row.id, kind=LineKind.TRANSFER_PAYMENT, created_at=row.created_at
            )
            yield row, line
