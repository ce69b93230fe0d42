"""Ramp's token of one connection, shared by all processes through its row."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from django.db import connections as databases

from connections.clients import SharedTokens
from connections.models import Connection, RampToken
from connections.ramp.auth import AccessToken, ClientCredentials
from connections.ramp.client import RampClient
from connections.ramp_simulator.handles import BusinessHandle
from tests.syncing.ramp import BASE_URL, SCOPES, Customer
from tests.syncing.world import let_time_pass

MINT = "POST /token"
SYNCS = "POST /accounting/syncs"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def client_of(business: BusinessHandle, connection: Connection, http: httpx.Client) -> RampClient:
    """A client as workers have it: its token stands in the connection's row."""
    auth = ClientCredentials(
        base_url=BASE_URL,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=(*SCOPES, "business:read"),
        store=SharedTokens(connection),
        clock=lambda: datetime.now(UTC),
    )
    return RampClient(base_url=BASE_URL, auth=auth, http=http)


@pytest.fixture
def customer() -> Iterator[Customer]:
    customer = Customer()
    customer.ramp = client_of(customer.business, customer.connection, customer.http)
    yield customer
    customer.sim.close()


def token(value: str, *, minted_at: datetime) -> AccessToken:
    return AccessToken(value, frozenset(SCOPES), minted_at, minted_at + timedelta(days=10))


@pytest.mark.django_db
class TestInTheMiddleOfAReport:
    @pytest.mark.matrix("T1")
    def test_an_expired_token_is_renewed_once_and_the_same_report_goes_out(
        self, customer: Customer
    ) -> None:
        bought = customer.spend()
        customer.pull()
        customer.post()
        minted = customer.calls(MINT)
        customer.business.expire_tokens()

        customer.report()

        assert customer.calls(MINT) == minted + 1
        assert customer.calls(SYNCS) == 2
        assert len(set(customer.sent)) == 1, "the same bytes, so the same key"
        assert customer.state(bought) == "ACKED"
        assert len(customer.told(bought)) == 1

    @pytest.mark.matrix("T1", "T4")
    def test_a_token_refused_twice_is_not_renewed_for_ever(self, customer: Customer) -> None:
        bought = customer.spend()
        customer.pull()
        customer.post()
        minted = customer.calls(MINT)
        customer.fault("token_expired", SYNCS, times=None)

        customer.report()

        assert customer.calls(MINT) == minted + 1
        assert customer.state(bought) == "ACKING"
        assert customer.schedule.blocked_side == "ramp"
        assert customer.schedule.blocked_title

    @pytest.mark.matrix("T3")
    def test_a_token_that_was_received_and_never_stored_is_asked_for_anew(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker died in between."""

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        bought = customer.spend()
        with monkeypatch.context() as dying:
            dying.setattr(SharedTokens, "save", die)
            with pytest.raises(KeyboardInterrupt):
                customer.pull()

        let_time_pass(3600)
        customer.go_through()

        assert customer.state(bought) == "ACKED"
        assert customer.calls(MINT) == 2


@pytest.mark.django_db
@pytest.mark.matrix("T2")
def test_an_older_token_never_takes_the_place_of_a_newer_one(customer: Customer) -> None:
    tokens = SharedTokens(customer.connection)
    tokens.save(token("new", minted_at=NOW))

    tokens.save(token("old", minted_at=NOW - timedelta(minutes=1)))

    kept = tokens.load()
    assert kept is not None
    assert kept.value == "new"


@pytest.mark.django_db(transaction=True)
@pytest.mark.matrix("T2")
def test_of_many_workers_that_find_it_expired_one_asks_ramp(customer: Customer) -> None:
    """With connections of their own to the database."""
    customer.ramp.business()
    minted = customer.calls(MINT)
    customer.business.expire_tokens()
    start = threading.Barrier(6)
    answers: list[object] = []

    def work() -> None:
        start.wait()
        with httpx.Client(transport=httpx.WSGITransport(app=customer.sim.wsgi)) as http:
            ramp = client_of(customer.business, customer.connection, http)
            answers.append(ramp.business().id)
        databases.close_all()

    _all_at_once(work, 6)

    assert answers == [UUID(customer.business.id)] * 6
    assert customer.calls(MINT) == minted + 1
    assert RampToken.objects.count() == 1


def _all_at_once(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
