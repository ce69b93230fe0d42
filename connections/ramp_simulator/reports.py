"""How objects take what a client reports of them: booked under a reference, or failed.

An object type of its own is a `Reportable`, and has its row in `syncs.KINDS`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from connections.ramp_simulator.bodies import SuccessfulSync
from connections.ramp_simulator.records import Commit, Synced, SyncStatus
from connections.ramp_simulator.replies import ApiError
from connections.ramp_simulator.tables import Table
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World

PROVIDER = "provider"
"""The outcome of what a connection that Ramp itself runs has booked."""
R = TypeVar("R", bound=Synced)


@dataclass(frozen=True, slots=True)
class Told:
    """The call that a report came with; `by_provider`: it was a connection of Ramp's own."""

    at: datetime
    sync_id: str
    idempotency_key: str
    by_provider: bool = False


class Noted(Protocol):
    """Where the reports on something are kept."""

    synced_at: datetime | None
    reference_id: str | None
    export_error: str | None
    commits: list[Commit]


class Reportable(Protocol):
    """The objects that one sync type is about."""

    def unready(
        self, world: World, business: str, successes: Sequence[str], failures: Sequence[str]
    ) -> list[str]:
        """The ids that nothing can be reported of now, or that are of nobody; refused with 7062."""

    def refusal(self, world: World, business: str, successes: Sequence[str], /) -> ApiError | None:
        """Any other reason to refuse the whole batch; asked only if none is unready."""

    def succeed(self, world: World, success: SuccessfulSync, told: Told) -> None: ...

    def fail(self, world: World, row_id: str, message: str, told: Told) -> None: ...


class ReadyObjects(Generic[R]):
    """Objects that are ready, are reported once and are synced then.

    `synced_event` is what Ramp tells its webhooks about it, if it does.
    """

    def __init__(
        self, table: Callable[[World], Table[R]], *, synced_event: str | None = None
    ) -> None:
        self._table = table
        self._synced_event = synced_event

    def unready(
        self, world: World, business: str, successes: Sequence[str], failures: Sequence[str]
    ) -> list[str]:
        return [
            given
            for given in (*successes, *failures)
            if (row := self._table(world).get(given, business)) is None
            or row.sync_status is not SyncStatus.SYNC_READY
        ]

    def refusal(self, _world: World, _business: str, _ids: Sequence[str], /) -> ApiError | None:
        return None

    def succeed(self, world: World, success: SuccessfulSync, told: Told) -> None:
        row = self._known(world, str(success.id))
        row.sync_status = SyncStatus.SYNCED
        row.sync_request_id = None
        row.updated_at = told.at
        note_success(row, success.reference_id, told)
        self._table(world).put(row)
        if self._synced_event:
            announce(world, row.business, self._synced_event, row.id)

    def fail(self, world: World, row_id: str, message: str, told: Told) -> None:
        """The item shows the message as its export error, and stays ready."""
        row = self._known(world, row_id)
        note_failure(row, message, told)
        self._table(world).put(row)

    def _known(self, world: World, row_id: str) -> R:
        row = self._table(world).get(row_id)
        assert row is not None
        return row


def note_success(row: Noted, reference_id: str, told: Told) -> None:
    row.synced_at = told.at
    row.reference_id = reference_id
    row.export_error = None
    row.commits.append(
        Commit(
            at=told.at,
            outcome=PROVIDER if told.by_provider else "success",
            sync_id=told.sync_id,
            idempotency_key=told.idempotency_key,
            reference_id=reference_id,
        )
    )


def note_failure(row: Noted, message: str, told: Told) -> None:
    row.export_error = message
    row.commits.append(
        Commit(
            at=told.at,
            outcome="failure",
            sync_id=told.sync_id,
            idempotency_key=told.idempotency_key,
            message=message,
        )
    )
