"""A business as tests hold it: reimbursements, the card's account, and the sync button."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connections.ramp_simulator import banking, claims, people, sync_button
from connections.ramp_simulator.amounts import minor_units
from connections.ramp_simulator.claims import Claim
from connections.ramp_simulator.money_records import Cashback, Reimbursement, Statement, Transfer
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Business, SyncRequest, SyncStatus
from connections.ramp_simulator.world import World

Amount = Decimal | float | str | None
DEPARTMENT = "Department"


class MoneyHandle:
    """The part of `BusinessHandle` that is about money besides purchases and bills.

    Every `amount` is in major units; `minor` may be given in its place.
    """

    _world: World
    record: Business
    key: str

    def create_reimbursement(
        self,
        amount: Amount = None,
        *,
        minor: int | None = None,
        merchant: str = "Delta Air Lines",
        department: str | None = None,
        ready: bool = False,
        by_force: bool = False,
        **details: Any,
    ) -> Reimbursement:
        """Someone hands in a claim; `details` are those of `Claim`.

        `by_force` makes ready what Ramp would not, such as lines that do not add up.
        """
        options = dict(details.pop("options", {}))
        if department:
            options[DEPARTMENT] = department
        claim = Claim(
            minor=self._minor(amount, minor, "90.00"), merchant=merchant, options=options, **details
        )
        with self._world.change():
            row = claims.file_claim(self._world, self.key, claim)
            if ready or by_force:
                people.mark_ready(self._world, row, by_force=by_force)
            return row

    def create_transfer(
        self,
        amount: Amount = None,
        *,
        minor: int | None = None,
        status: str = "COMPLETED",
        entity_id: str | None = None,
        at: datetime | None = None,
    ) -> Transfer:
        """The card's account is paid; ready at once if it is COMPLETED or RETURNED_BY_RDFI."""
        with self._world.change():
            return banking.pay(
                self._world,
                self.key,
                minor=self._minor(amount, minor, "1250.00"),
                status=status,
                entity_id=entity_id,
                at=at,
            )

    def move_transfer(self, transfer_id: str, status: str) -> None:
        """The banks get on with it; COMPLETED makes it ready."""
        with self._world.change():
            banking.move(self._world, self.transfer(transfer_id), status)

    def create_cashback(
        self,
        amount: Amount = None,
        *,
        minor: int | None = None,
        entity_id: str | None = None,
        at: datetime | None = None,
    ) -> Cashback:
        """Ramp gives something back; ready at once."""
        with self._world.change():
            return banking.give_cashback(
                self._world,
                self.key,
                minor=self._minor(amount, minor, "18.75"),
                entity_id=entity_id,
                at=at,
            )

    def create_statement(
        self,
        *,
        begin: datetime | None = None,
        end: datetime | None = None,
        entity_ids: Sequence[str] = (),
        opening: Mapping[str, int] | None = None,
    ) -> Statement:
        """Close a statement over what is on none yet, see `banking.close_statement`."""
        with self._world.change():
            return banking.close_statement(
                self._world,
                self.key,
                begin=begin,
                end=end,
                entity_ids=entity_ids,
                opening=opening,
            )

    def reimbursement(self, reimbursement_id: str) -> Reimbursement:
        """:raises NotPossible: if this business has no such reimbursement"""
        row = self._world.reimbursements.get(reimbursement_id, self.key)
        if row is None:
            raise NotPossible(f"{self.record.name} has no reimbursement {reimbursement_id}.")
        return row

    def reimbursements(self, status: SyncStatus | str | None = None) -> list[Reimbursement]:
        with self._world.lock:
            return [row for row in self._world.reimbursements.of(self.key) if _is_in(row, status)]

    def transfer(self, transfer_id: str) -> Transfer:
        """:raises NotPossible: if this business has no such transfer"""
        row = self._world.transfers.get(transfer_id, self.key)
        if row is None:
            raise NotPossible(f"{self.record.name} has no transfer {transfer_id}.")
        return row

    def transfers(self, status: SyncStatus | str | None = None) -> list[Transfer]:
        with self._world.lock:
            return [row for row in self._world.transfers.of(self.key) if _is_in(row, status)]

    def cashbacks(self, status: SyncStatus | str | None = None) -> list[Cashback]:
        with self._world.lock:
            return [row for row in self._world.cashbacks.of(self.key) if _is_in(row, status)]

    def statements(self) -> list[Statement]:
        with self._world.lock:
            return list(self._world.statements.of(self.key))

    def press_sync_button(
        self, object_type: str = "transaction", ids: Sequence[str] | None = None
    ) -> SyncRequest | None:
        """Sync All, or these; None if nothing is ready that is not asked for already.

        :raises NotPossible: if the connection has not switched the button on, or one of `ids` is
            not ready
        """
        with self._world.change():
            sync_button.expire(self._world)
            return sync_button.press(self._world, self.key, object_type, ids)

    def sync_request(self, request_id: str) -> SyncRequest:
        """What became of a press so far, row by row.

        :raises NotPossible: if nobody in this business asked for it
        """
        with self._world.change():
            sync_button.expire(self._world)
            request = self._world.sync_requests.get(request_id, self.key)
            if request is None:
                raise NotPossible(f"{self.record.name} has no sync request {request_id}.")
            return request

    def _minor(self, amount: Amount, minor: int | None, usual: str) -> int:
        if minor is not None:
            return minor
        return minor_units(usual if amount is None else amount, self.record.currency)


def _is_in(row: Reimbursement | Transfer | Cashback, status: SyncStatus | str | None) -> bool:
    return status is None or row.sync_status == status
