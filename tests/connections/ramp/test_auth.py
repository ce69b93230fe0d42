import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.auth import AccessToken, ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp.rate_limit import Lane
from connections.ramp.transport import http_client
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp.conftest import BASE_URL, SCOPES, Budget, Clock

MINT = "POST /token"


class Late(MemoryTokenStore):
    """Has the old token at first, and the new one by the time its lock is held."""

    def __init__(self, old: AccessToken, new: AccessToken) -> None:
        super().__init__()
        self.save(old)
        self.new = new

    def lock(self) -> AbstractContextManager[object]:
        self.save(self.new)
        return super().lock()


class TestMinting:
    def test_a_token_is_minted_once_and_kept(
        self, ramp: RampClient, sim: Simulator, store: MemoryTokenStore, clock: Clock
    ) -> None:
        ramp.business()
        ramp.business()

        token = store.load()
        assert sim.calls[MINT] == 1
        assert token is not None
        assert token.scopes == frozenset(SCOPES)
        assert token.expires_at == clock.now + timedelta(days=10)

    def test_scopes_that_ramp_leaves_out_are_noticed(
        self, ramp: RampClient, business: BusinessHandle, store: MemoryTokenStore
    ) -> None:
        business.grant_scopes(["business:read"])

        ramp.business()

        token = store.load()
        assert token is not None
        assert token.scopes == {"business:read"}
        with pytest.raises(errors.ScopeMissing) as caught:
            list(ramp.transactions())
        assert caught.value.scopes == ("transactions:read",)

    def test_scopes_that_ramp_refuses_are_told(self, ramp: RampClient, sim: Simulator) -> None:
        sim.business("harbor-coffee").grant_scopes(["business:read"])
        sim.switches.ungranted_scope = "refuse"

        with pytest.raises(errors.ScopeMissing):
            ramp.business()

    @pytest.mark.parametrize(("client_id", "code"), [(None, "5001"), ("nonsense", "5006")])
    def test_wrong_credentials_are_told_and_never_shown(
        self,
        sim: Simulator,
        business: BusinessHandle,
        clock: Clock,
        client_id: str | None,
        code: str,
    ) -> None:
        auth = ClientCredentials(
            base_url=BASE_URL,
            client_id=client_id or business.client_id,
            client_secret="canary-secret",
            scopes=SCOPES,
            store=MemoryTokenStore(),
            clock=clock,
        )

        with (
            http_client(BASE_URL, Budget(), transport=httpx.WSGITransport(app=sim.wsgi)) as http,
            pytest.raises(errors.RampUnauthorised) as caught,
        ):
            RampClient(base_url=BASE_URL, auth=auth, http=http).business()

        assert caught.value.code == code
        assert "canary" not in f"{caught.value!r} {caught.value} {vars(auth.__class__)}"

    def test_a_token_never_shows_itself(self, ramp: RampClient, store: MemoryTokenStore) -> None:
        ramp.business()

        token = store.load()
        assert token is not None
        assert token.value not in repr(token)

    def test_an_answer_without_a_token_is_a_surprise(
        self, ramp: RampClient, sim: Simulator
    ) -> None:
        sim.fault("not_json", MINT)

        with pytest.raises(errors.SchemaSurprise):
            ramp.business()

    def test_is_counted_waited_for_and_timed_like_any_request(
        self, ramp: RampClient, budget: Budget
    ) -> None:
        seen: list[httpx.Request] = []
        ramp._api._http.event_hooks = {"request": [seen.append]}
        ramp._api._lane = Lane.BUTTON

        ramp.business()

        assert budget.taken == [Lane.BUTTON, Lane.BUTTON]
        assert [request.url.path.rpartition("/")[2] for request in seen] == ["token", "business"]
        assert all(request.extensions["timeout"]["read"] == 65 for request in seen)


class TestRenewing:
    def test_a_token_that_is_about_to_expire_is_renewed_beforehand(
        self, ramp: RampClient, sim: Simulator, clock: Clock
    ) -> None:
        ramp.business()

        clock.advance(days=10, seconds=-30)
        ramp.business()

        assert sim.calls[MINT] == 2
        assert all(answered.status == 200 for answered in sim.log)

    @pytest.mark.parametrize("status", [401, 404])
    def test_a_revoked_token_is_renewed_once(
        self, ramp: RampClient, sim: Simulator, business: BusinessHandle, status: int
    ) -> None:
        sim.switches.unknown_token_status = status  # type: ignore[assignment]
        ramp.business()
        business.revoke_tokens()

        assert ramp.business().id is not None

        assert sim.calls[MINT] == 2

    def test_an_expired_token_is_renewed_once(
        self, ramp: RampClient, sim: Simulator, business: BusinessHandle
    ) -> None:
        ramp.business()
        business.expire_tokens()

        assert ramp.business().id is not None

        assert sim.calls[MINT] == 2

    @pytest.mark.parametrize("fault", ["token_unknown", "token_expired"])
    def test_it_never_goes_round_in_circles(
        self, ramp: RampClient, sim: Simulator, fault: str
    ) -> None:
        sim.fault(fault, "GET /business", times=None)

        with pytest.raises(errors.RampUnauthorised):
            ramp.business()

        assert sim.calls["GET /business"] == 2
        assert sim.calls[MINT] == 2

    def test_an_ordinary_404_costs_no_token(
        self, ramp: RampClient, sim: Simulator, business: BusinessHandle
    ) -> None:
        with pytest.raises(errors.NotFound):
            ramp.transaction(business.id)  # type: ignore[arg-type]

        assert sim.calls[MINT] == 1

    def test_a_body_is_sent_again_in_full(
        self, ramp: RampClient, sim: Simulator, business: BusinessHandle
    ) -> None:
        ramp.business()
        business.revoke_tokens()

        connection = ramp.create_connection(remote_provider_name="rampbridge")

        assert connection.remote_provider_name == "rampbridge"

    def test_what_another_process_has_just_renewed_is_used(
        self, ramp: RampClient, sim: Simulator, store: MemoryTokenStore, business: BusinessHandle
    ) -> None:
        ramp.business()
        old = store.load()
        business.revoke_tokens()
        ramp.business()
        new = store.load()
        assert old is not None
        assert new is not None

        ramp._api._auth._store = Late(old, new)  # type: ignore[attr-defined]

        ramp.business()

        assert sim.calls[MINT] == 2

    def test_of_many_threads_one_asks_for_a_token(self, ramp: RampClient, sim: Simulator) -> None:
        threads = [threading.Thread(target=ramp.business) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sim.calls["GET /business"] == 8
        assert sim.calls[MINT] == 1


class TestFailures:
    def test_a_lock_is_let_go_whatever_happens(self, ramp: RampClient, sim: Simulator) -> None:
        sim.fault("hang_up", MINT)
        with pytest.raises(errors.RampUnreachable):
            ramp.business()

        assert ramp.business().id is not None

    @pytest.mark.parametrize(
        ("fault", "details", "kind"),
        [
            ("hang_up", {}, errors.RampUnreachable),
            ("hang_up_after", {}, errors.RampUnreachable),
            ("answer", {"status": 503}, errors.RampUnreachable),
            ("answer", {"status": 429}, errors.RampRateLimited),
        ],
    )
    def test_a_change_that_got_no_token_was_never_sent(
        self,
        ramp: RampClient,
        sim: Simulator,
        fault: str,
        details: dict[str, int],
        kind: type[Exception],
    ) -> None:
        sim.fault(fault, MINT, **details)

        with pytest.raises(kind) as caught:
            ramp.create_connection(remote_provider_name="rampbridge")

        assert not isinstance(caught.value, errors.OutcomeUnknown)
        assert sim.calls["POST /accounting/connection"] == 0

    def test_credentials_go_to_no_other_host(
        self, credentials: ClientCredentials, ramp_that: Callable[..., RampClient]
    ) -> None:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(200, json={})

        http = ramp_that(answer)._api._http
        for address in ("http://evil.example/", "https://ramp.test/", "http://ramp.test:8000/"):
            with pytest.raises(errors.ForeignAddress):
                http.get(address, auth=credentials)

        assert sent == []


def test_a_token_is_good_until_a_minute_before_its_end(clock: Clock) -> None:
    token = AccessToken(
        "t", frozenset(), minted_at=clock.now, expires_at=clock.now + timedelta(minutes=5)
    )

    assert token.is_good(now=clock.now + timedelta(minutes=3, seconds=59))
    assert not token.is_good(now=clock.now + timedelta(minutes=4))
