"""What is reported of bills, in two phases: BILL_SYNC, then BILL_PAYMENT_SYNC.

Both name the bill. What is booked already and what is not paid yet is refused in the same words.
"""

from collections.abc import Callable, Sequence

from connections.ramp_simulator.bill_codings import coding_of
from connections.ramp_simulator.bill_records import Bill, BillSyncStatus, Phase
from connections.ramp_simulator.bill_states import is_bill_ready, is_payment_ready
from connections.ramp_simulator.bodies import SuccessfulSync
from connections.ramp_simulator.replies import ApiError
from connections.ramp_simulator.reports import Told, note_failure, note_success
from connections.ramp_simulator.world import World


class _BillReports:
    """One of the two phases."""

    def __init__(
        self,
        is_due: Callable[[World, Bill], bool],
        phase_of: Callable[[Bill], Phase],
        reached: BillSyncStatus,
    ) -> None:
        self._is_due = is_due
        self._phase_of = phase_of
        self._reached = reached

    def unready(
        self, world: World, business: str, successes: Sequence[str], failures: Sequence[str]
    ) -> list[str]:
        return [
            given
            for given in (*successes, *failures)
            if (bill := world.bills.get(given, business)) is None or not self._is_due(world, bill)
        ]

    def refusal(self, _world: World, _business: str, _ids: Sequence[str], /) -> ApiError | None:
        return None

    def succeed(self, world: World, success: SuccessfulSync, told: Told) -> None:
        bill = _known(world, str(success.id))
        bill.sync_status = self._reached
        note_success(self._phase_of(bill), success.reference_id, told)
        self._link(bill, success)
        world.bills.put(bill)

    def fail(self, world: World, row_id: str, message: str, told: Told) -> None:
        """The bill shows the message as its export error, and is listed as ready again."""
        bill = _known(world, row_id)
        note_failure(self._phase_of(bill), message, told)
        world.bills.put(bill)

    def _link(self, bill: Bill, success: SuccessfulSync) -> None:
        """A payment leaves the bill's own link to the ERP alone."""


class Bills(_BillReports):
    def __init__(self) -> None:
        super().__init__(is_bill_ready, lambda bill: bill.booking, BillSyncStatus.BILL_SYNCED)

    def unready(
        self, world: World, business: str, successes: Sequence[str], failures: Sequence[str]
    ) -> list[str]:
        bills = (world.bills.get(given, business) for given in successes)
        deleted = [bill.id for bill in bills if bill and coding_of(world, bill).is_deleted]
        return super().unready(world, business, successes, failures) + deleted

    def _link(self, bill: Bill, success: SuccessfulSync) -> None:
        bill.remote_id = success.reference_id
        bill.deep_link_url = success.deep_link_url


class BillPayments(_BillReports):
    def __init__(self) -> None:
        super().__init__(
            lambda _, bill: is_payment_ready(bill),
            lambda bill: bill.settling,
            BillSyncStatus.BILL_AND_PAYMENT_SYNCED,
        )


def _known(world: World, bill_id: str) -> Bill:
    bill = world.bills.get(bill_id)
    assert bill is not None
    return bill
