"""What is reported of card transactions: TRANSACTION_SYNC."""

from collections.abc import Sequence

from connections.ramp_simulator.codings import book_of, coding
from connections.ramp_simulator.records import Transaction
from connections.ramp_simulator.replies import ApiError
from connections.ramp_simulator.reports import ReadyObjects
from connections.ramp_simulator.transactions import needs_vendor
from connections.ramp_simulator.world import World


class Transactions(ReadyObjects[Transaction]):
    """Ready ones, unless they are coded to something deleted or lack the vendor they need."""

    def __init__(self) -> None:
        super().__init__(lambda world: world.transactions, synced_event="transactions.synced")

    def unready(
        self, world: World, business: str, successes: Sequence[str], failures: Sequence[str]
    ) -> list[str]:
        book = book_of(world, business)
        rows = (world.transactions.get(given, business) for given in successes)
        deleted = [row.id for row in rows if row and coding(book, row).is_deleted]
        return super().unready(world, business, successes, failures) + deleted

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
