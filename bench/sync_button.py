"""1,000 rows asked for with Ramp's sync button, against an ERP that takes only some 600 in time.

The value is the rows that Ramp called failed although they are in the ERP and we do not know. The
details say how soon the first was answered and when the last document was begun.

The tasks, their SQL and the pretend Ramp are the real things. Only time is not: the database's
`now()`, the worker's clock and Ramp's are a virtual one, which moves while the ERP or Ramp answers.
There is one worker, which also polls and reports, so a real one is not slower. Nine virtual minutes
take less than a real one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch
from uuid import UUID

import httpx

from bench.fairness import ACCOUNT, MAPPINGS
from bench.figures import Measured
from bench.service import Stuck, eager_tasks
from bench.virtual_clock import VirtualClock
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import ErpError
from connections.erp.records import Capabilities, Document, Posted
from connections.mappings import EntityTarget
from connections.models import Connection
from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from rampbridge.celery import SWEEP_SECONDS
from syncing import sync_requests, tasks
from syncing.models import Schedule, SyncItem, SyncRequest
from syncing.states import ItemState

REQUESTED = 1000
ERP_SECONDS = 0.4
"""For one document, and one at a time."""
RAMP_SECONDS = 0.4
"""For one call."""
FIRST_ANSWER_BY = 15.0
"""Seconds from the press; more is not what people call live (fault S2)."""
LONGEST_RUN = 3600.0
RAMP_URL = "http://ramp.test"
CUSTOMER = "harbor-coffee"
SCOPES = ("accounting:read", "accounting:write", "transactions:read")


class _Erp(InMemoryErp):
    """Takes one document at a time, and its time over it."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self.began: list[float] = []
        """When each document was begun."""

    def capabilities(self) -> Capabilities:
        return replace(super().capabilities(), concurrency=1, batch=1)

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        self.began.append(self._clock.seconds)
        self._clock.spend(ERP_SECONDS)
        return super().post_many(docs)


class _Wire(httpx.WSGITransport):
    """The pretend Ramp takes its time over each call, too."""

    def __init__(self, ramp: Simulator, clock: VirtualClock) -> None:
        super().__init__(app=ramp.wsgi)
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._clock.spend(RAMP_SECONDS)
        return super().handle_request(request)


def measure(_: None) -> Mapping[str, Measured]:
    clock = VirtualClock()
    with eager_tasks(), clock.rules():
        ramp = Simulator.with_scenario("empty", rate_limit=False, clock=clock.now)
        erp = _Erp(clock)
        try:
            with _customer(ramp, erp, clock) as connection:
                return _rehearse(connection, ramp, erp, clock)
        finally:
            ramp.close()


def _rehearse(
    connection: Connection, ramp: Simulator, erp: _Erp, clock: VirtualClock
) -> Mapping[str, Measured]:
    business = ramp.business(CUSTOMER)
    for _ in range(REQUESTED):
        business.create_transaction(minor=1840, account_code=ACCOUNT, ready=True)
    asked = business.press_sync_button("transaction")
    assert asked is not None, "there is something to ask for"
    pressed = clock.seconds
    sync_requests.receive(connection.pk, "transaction", UUID(asked.id))  # as its webhook does
    _sweep_until(clock, pressed + sync_requests.ENDS_SECONDS + SWEEP_SECONDS)
    outcomes = {row.object_id: str(row.outcome) for row in business.sync_request(asked.id).rows}
    failed_and_booked = _failed_and_booked(outcomes, erp)
    unknown = failed_and_booked - {str(ramp_id) for ramp_id in _known()}
    request, last_begun = SyncRequest.objects.get(), max(erp.began) - pressed
    assert request.first_ack_at is not None, "something was answered"
    first = (request.first_ack_at - request.received_at).total_seconds()
    if first > FIRST_ANSWER_BY or last_begun > sync_requests.STOP_SECONDS:
        raise Stuck(f"First answer after {first:.1f} s, last document begun at {last_begun:.1f} s.")
    _drain(clock)
    counted = list(outcomes.values())
    succeeded, takes = counted.count("success"), 1 / ERP_SECONDS
    return {
        "sync_button": Measured(
            len(unknown),
            {
                "requested": request.requested,
                "first_ack_seconds": round(first, 1),
                "last_begun_seconds": round(last_begun, 1),
                "succeeded": succeeded,
                "failed_in_words": counted.count("failure"),
                "timed_out": counted.count("timed_out"),
                "failed_and_booked": len(failed_and_booked),
                "state": request.state,
                "in_the_erp_at_last": len(erp.books.entries),
                "all_reported_seconds": round(clock.seconds - pressed, 1),
            },
        ),
        "sync_button_share": Measured(
            succeeded / (sync_requests.STOP_SECONDS * takes),
            {
                "succeeded": succeeded,
                "erp_takes_a_second": takes,
                "of_what_270_seconds_allow": round(succeeded / (270 * takes), 3),
            },
        ),
    }


def _failed_and_booked(outcomes: Mapping[str, str], erp: _Erp) -> set[str]:
    """What Ramp calls failed and the ERP holds."""
    booked = {entry.doc.ref.ramp_id for entry in erp.books.entries}
    return {ramp_id for ramp_id, outcome in outcomes.items() if outcome != "success"} & booked


def _known() -> Iterator[UUID]:
    """What we have the ERP's number of."""
    yield from SyncItem.objects.exclude(erp_number="").values_list("ramp_id", flat=True)


def _sweep_until(clock: VirtualClock, end: float) -> None:
    while clock.seconds < end:
        began = clock.seconds
        tasks.sweep.apply(throw=True)
        clock.spend(max(0.0, began + SWEEP_SECONDS - clock.seconds))


def _drain(clock: VirtualClock) -> None:
    """What there was no time for goes on by itself; all of it must get through."""
    end = clock.seconds + LONGEST_RUN
    while SyncItem.objects.exclude(state=ItemState.ACKED).exists():
        _sweep_until(clock, clock.seconds + SWEEP_SECONDS)
        if clock.seconds > end:
            raise Stuck("What was put off does not get through.")


@contextmanager
def _customer(ramp: Simulator, erp: _Erp, clock: VirtualClock) -> Iterator[Connection]:
    """A live customer with the button on, whose workers find these two sides."""
    business = ramp.business(CUSTOMER)
    account = {"id": ACCOUNT, "code": ACCOUNT, "name": "Software", "classification": "EXPENSE"}
    business.upload_chart(accounts=[account])
    auth = ClientCredentials(
        base_url=RAMP_URL,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=SCOPES,
        store=MemoryTokenStore(),
        clock=clock.now,
    )
    client = RampClient(
        base_url=RAMP_URL, auth=auth, http=httpx.Client(transport=_Wire(ramp, clock))
    )
    seat = business.connection
    assert seat is not None, "uploading a chart takes the seat"
    client.update_connection(UUID(seat.id), {"transaction_sync_button_enabled": True})
    connection = Connection.objects.create(
        slug=CUSTOMER, name="Harbor Coffee Roasters", stage=Connection.Stage.LIVE,
        ramp_business_id=business.id, ramp_connection_id=UUID(seat.id),
        ramp_provider_name="rampbridge", erp_kind="ledger", erp_name="Ledger",
        object_types=["transaction"],
    )  # fmt: skip
    Schedule.objects.create(connection=connection, next_poll_at="2099-01-01T00:00Z")
    entities = ramp.world.entities.of(CUSTOMER)
    mappings = replace(
        MAPPINGS, entities={one.id: EntityTarget(one.id, "", is_mapped=True) for one in entities}
    )
    with (
        patch("connections.clients.ramp_client", lambda *_, **__: client),
        patch("connections.clients.erp_adapter", lambda *_: erp),
        patch("syncing.tasks.mapping_set", lambda *_: mappings),
    ):
        yield connection
