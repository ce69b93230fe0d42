"""What is reported of what people code: TRANSACTION_SYNC and REIMBURSEMENT_SYNC."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from connections.ramp_simulator.codings import book_of, coding
from connections.ramp_simulator.records import Coded, Transaction
from connections.ramp_simulator.replies import ApiError
from connections.ramp_simulator.reports import ReadyObjects
from connections.ramp_simulator.tables import Table
from connections.ramp_simulator.transactions import needs_vendor
from connections.ramp_simulator.world import World

C = TypeVar("C", bound=Coded)


class CodedObjects(ReadyObjects[C]):
    """Ready ones, unless they are coded to something deleted."""

    def __init__(self, table: Callable[[World], Table[C]], *, synced_event: str) -> None:
        super().__init__(table, synced_event=synced_event)
        self._coded = table

    def unready(
        self, world: World, business: str, successes: Sequence[str], failures: Sequence[str]
    ) -> list[str]:
        book = book_of(world, business)
        rows = (self._coded(world).get(given, business) for given in successes)
        deleted = [row.id for row in rows if row and coding(book, row).is_deleted]
        return super().unready(world, business, successes, failures) + deleted


class Transactions(CodedObjects[Transaction]):
    """Not without the vendor they need, where its creation is asked for."""

    def __init__(self) -> None:
        super().__init__(lambda world: world.transactions, synced_event="transactions.synced")

    def refusal(self, world: World, business: str, successes: Sequence[str], /) -> ApiError | None:
        book = book_of(world, business)
        vendorless = [
            given for given in successes if needs_vendor(world, book, self._known(world, given))
        ]
        if not vendorless:
            return None
        # No source tells the code of this refusal.
        return ApiError(
            400,
            "DEVELOPER_7001",
            f"Create an accounting vendor before syncing: {', '.join(vendorless)}",
        )
