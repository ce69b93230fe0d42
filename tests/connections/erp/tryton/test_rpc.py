"""Sessions, time-outs and statuses, against a pretend Tryton."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest

from connections.erp.adapters.tryton.rpc import Account, TrytonRpc
from connections.erp.errors import Category, Code, ErpError, Outcome

Answer = Callable[[httpx.Request], httpx.Response]


class PretendTryton:
    """Signs anyone in; everything else is answered by what the test says."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.calls: Counter[str] = Counter()
        self.password_is_right = True

    def __call__(self, request: httpx.Request) -> httpx.Response:
        method = json.loads(request.content)["method"]
        self.calls[method] += 1
        if method == "common.db.login":
            if not self.password_is_right:
                return httpx.Response(401)
            return result([1, f"token-{self.calls[method]}", None])
        if method == "model.res.user.get_preferences":
            return result({"company": 1, "language": "fr"})
        return self.answers.pop(0)(request)


def result(value: Any) -> httpx.Response:
    return httpx.Response(200, json={"id": 1, "result": value})


def named(name: str, answer: Answer) -> Answer:
    answer.__name__ = name  # pytest shows it
    return answer


def says(value: Any) -> Answer:
    return lambda _: result(value)


def status(code: int, body: str = "", **headers: str) -> Answer:
    return named(f"{code} {body}", lambda _: httpx.Response(code, text=body, headers=headers))


def raises(error: type[httpx.RequestError]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return named(error.__name__, answer)


def fails(*error: Any) -> Answer:
    return named(str(error), lambda _: httpx.Response(200, json={"id": 1, "error": error}))


@pytest.fixture
def connect() -> Iterator[Callable[[PretendTryton], TrytonRpc]]:
    clients = []

    def make(tryton: PretendTryton) -> TrytonRpc:
        client = httpx.Client(base_url="http://erp.test", transport=httpx.MockTransport(tryton))
        clients.append(client)
        return TrytonRpc(Account("http://erp.test", "books", "ramp", "secret"), client)

    yield make
    for client in clients:
        client.close()


Connect = Callable[[PretendTryton], TrytonRpc]


def refusal(rpc: TrytonRpc, *, write: bool) -> ErpError:
    with pytest.raises(ErpError) as caught:
        rpc.call("model.party.party.create", [], write=write)
    return caught.value


class TestSessions:
    def test_one_serves_many_calls(self, connect: Connect) -> None:
        tryton = PretendTryton(says(1), says(2))
        rpc = connect(tryton)

        assert [rpc.call("model.a.b"), rpc.call("model.a.b")] == [1, 2]
        assert tryton.calls["common.db.login"] == 1

    def test_always_asks_for_english(self, connect: Connect) -> None:
        asked: list[Any] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(json.loads(request.content)["params"][-1])
            return result(None)

        connect(PretendTryton(answer)).call("model.a.b", context={"active_test": False})

        assert asked == [{"company": 1, "language": "en", "active_test": False}]

    def test_an_ended_one_is_renewed_once(self, connect: Connect) -> None:
        tryton = PretendTryton(status(401), says("done"))

        assert connect(tryton).call("model.account.move.post", write=True) == "done"
        assert tryton.calls["common.db.login"] == 2

    def test_one_that_ends_at_once_again_is_not_renewed_for_ever(self, connect: Connect) -> None:
        tryton = PretendTryton(status(401), status(401))

        error = refusal(connect(tryton), write=True)

        assert (error.code, error.category) == (Code.AUTH_EXPIRED, Category.USER)
        assert error.outcome == Outcome.NOT_POSTED
        assert tryton.calls["common.db.login"] == 2

    def test_a_refused_password_is_not_tried_again(self, connect: Connect) -> None:
        tryton = PretendTryton()
        tryton.password_is_right = False
        rpc = connect(tryton)

        assert [refusal(rpc, write=True).code for _ in range(3)] == [Code.AUTH_EXPIRED] * 3

        assert tryton.calls["common.db.login"] == 1

    def test_a_person_may_have_it_tried_again(self, connect: Connect) -> None:
        tryton = PretendTryton(says("in"))
        tryton.password_is_right = False
        rpc = connect(tryton)
        refusal(rpc, write=False)
        tryton.password_is_right = True

        rpc.forgive()

        assert rpc.call("model.a.b") == "in"

    def test_the_password_is_in_no_repr(self) -> None:
        assert "secret" not in repr(Account("http://erp.test", "books", "ramp", "secret"))


@pytest.mark.parametrize(
    ("answer", "code", "outcome"),
    [
        (raises(httpx.ConnectError), Code.ERP_UNAVAILABLE, Outcome.NOT_POSTED),
        (raises(httpx.ConnectTimeout), Code.ERP_UNAVAILABLE, Outcome.NOT_POSTED),
        (raises(httpx.PoolTimeout), Code.ERP_UNAVAILABLE, Outcome.NOT_POSTED),
        (raises(httpx.ReadTimeout), Code.TIMEOUT, Outcome.UNKNOWN),
        (raises(httpx.WriteError), Code.TIMEOUT, Outcome.UNKNOWN),
        (raises(httpx.RemoteProtocolError), Code.TIMEOUT, Outcome.UNKNOWN),
        (status(400), Code.REJECTED_PAYLOAD, Outcome.NOT_POSTED),
        (status(403, "<p>You may not</p>"), Code.FORBIDDEN, Outcome.NOT_POSTED),
        (status(404), Code.ERP_UNAVAILABLE, Outcome.NOT_POSTED),
        (status(413), Code.REJECTED_PAYLOAD, Outcome.NOT_POSTED),
        (status(429), Code.RATE_LIMITED, Outcome.NOT_POSTED),
        (status(500), Code.ERP_UNAVAILABLE, Outcome.UNKNOWN),
        (status(502), Code.ERP_UNAVAILABLE, Outcome.UNKNOWN),
        (
            status(503, "could not obtain lock on row"),
            Code.ERP_UNAVAILABLE,
            Outcome.NOT_POSTED,
        ),
        (
            status(503, "server closed the connection unexpectedly"),
            Code.ERP_UNAVAILABLE,
            Outcome.UNKNOWN,
        ),
        (status(504), Code.TIMEOUT, Outcome.UNKNOWN),
        (status(418), Code.UNKNOWN, Outcome.UNKNOWN),
        (status(200, "<html>Welcome to nginx"), Code.UNKNOWN, Outcome.UNKNOWN),
        (fails("UserError", ["Nobody has seen this.", "", None]), Code.UNKNOWN, Outcome.NOT_POSTED),
        (fails("UserWarning", ["x.other", "Sure?", ""]), Code.UNKNOWN, Outcome.NOT_POSTED),
        (fails("ConcurrencyException", "modified"), Code.CONFLICT, Outcome.NOT_POSTED),
        (fails("'no.such.model'", ""), Code.REJECTED_PAYLOAD, Outcome.NOT_POSTED),
        (fails("'res.user'", ""), Code.ERP_UNAVAILABLE, Outcome.NOT_POSTED),
        (fails("division by zero", ""), Code.UNKNOWN, Outcome.UNKNOWN),
    ],
)
class TestWhatAnAnswerProves:
    def test_of_a_write(
        self, connect: Connect, answer: Answer, code: Code, outcome: Outcome
    ) -> None:
        error = refusal(connect(PretendTryton(answer)), write=True)

        assert (error.code, error.outcome) == (code, outcome)

    def test_of_a_read_that_nothing_was_booked(
        self, connect: Connect, answer: Answer, code: Code, outcome: Outcome
    ) -> None:
        error = refusal(connect(PretendTryton(answer, answer)), write=False)

        assert (error.code, error.outcome) == (code, Outcome.NOT_POSTED)


HANGING_UP = [httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError]


@pytest.mark.parametrize("error", HANGING_UP)
class TestAServerThatHangsUp:
    def test_is_asked_once_more_for_what_changes_nothing(
        self, connect: Connect, error: type[httpx.RequestError]
    ) -> None:
        tryton = PretendTryton(raises(error), says("there"))

        assert connect(tryton).call("model.party.party.read") == "there"

    def test_again_and_again_is_not_asked_for_ever(
        self, connect: Connect, error: type[httpx.RequestError]
    ) -> None:
        tryton = PretendTryton(*[raises(error)] * 3)

        refusal(connect(tryton), write=False)

        assert tryton.calls["model.party.party.create"] == 2

    def test_is_sent_no_change_twice(
        self, connect: Connect, error: type[httpx.RequestError]
    ) -> None:
        tryton = PretendTryton(raises(error), says("created twice"))

        assert refusal(connect(tryton), write=True).outcome == Outcome.UNKNOWN
        assert tryton.calls["model.party.party.create"] == 1


class HangsUp(BaseHTTPRequestHandler):
    """Keeps each connection open for one more request, and ends it when that comes."""

    protocol_version = "HTTP/1.1"
    has_answered = False

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.has_answered:
            self.close_connection = True
            return
        self.has_answered = True
        said = json.dumps({"id": 1, "result": "8.0"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_kept_connection_that_turns_out_dead_costs_a_read_nothing() -> None:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), HangsUp) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.server_port}", trust_env=False) as http,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        rpc = TrytonRpc(Account("", "books", "ramp", "secret"), http)

        assert [rpc.server_version() for _ in range(3)] == ["8.0"] * 3
        server.shutdown()


def test_a_wish_to_wait_is_passed_on(connect: Connect) -> None:
    error = refusal(connect(PretendTryton(status(429, **{"Retry-After": "7"}))), write=True)

    assert error.retry_after == 7
