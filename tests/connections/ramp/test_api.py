import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.errors import RampError
from connections.ramp.pages import TransactionPage
from connections.ramp.rate_limit import LANE, Lane

ID = "9f8b2c1e-1111-4a4a-8b8b-000000000001"
GOOD = {"id": ID, "amount": 90.0, "currency_code": "USD"}
Build = Callable[..., RampClient]


def fails_with(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


def answers(*documents: object) -> Callable[[httpx.Request], httpx.Response]:
    waiting = iter(documents)

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=next(waiting), headers={"x-trace-id": "trace-1"})

    return answer


class TestLostAnswers:
    @pytest.mark.parametrize(
        ("error", "read", "change"),
        [
            (httpx.ConnectError("refused"), errors.RampUnreachable, errors.RampUnreachable),
            (httpx.ConnectTimeout(""), errors.RampUnreachable, errors.RampUnreachable),
            (httpx.PoolTimeout(""), errors.RampUnreachable, errors.RampUnreachable),
            (httpx.ReadTimeout(""), errors.RampUnreachable, errors.OutcomeUnknown),
            (httpx.WriteTimeout(""), errors.RampUnreachable, errors.OutcomeUnknown),
            (httpx.ReadError("reset"), errors.RampUnreachable, errors.OutcomeUnknown),
            (httpx.WriteError("broken pipe"), errors.RampUnreachable, errors.OutcomeUnknown),
            (httpx.RemoteProtocolError("hung up"), errors.RampUnreachable, errors.OutcomeUnknown),
            (httpx.DecodingError("not gzip"), errors.SchemaSurprise, errors.SchemaSurprise),
        ],
    )
    def test_what_may_have_happened_is_told_apart_from_what_cannot(
        self,
        ramp_that: Build,
        error: Exception,
        read: type[RampError],
        change: type[RampError],
    ) -> None:
        ramp = ramp_that(fails_with(error))

        with pytest.raises(RampError) as of_read:
            ramp.business()
        with pytest.raises(RampError) as of_change:
            ramp.post_syncs({})

        assert type(of_read.value) is read
        assert type(of_change.value) is change
        assert str(of_read.value)

    @pytest.mark.parametrize("status", [500, 504])
    def test_a_broken_answer_to_a_change_leaves_its_outcome_open(
        self, ramp_that: Build, status: int
    ) -> None:
        ramp = ramp_that(lambda request: httpx.Response(status))

        with pytest.raises(errors.OutcomeUnknown):
            ramp.delete_webhook("1")

    def test_nothing_is_sent_twice(self, ramp_that: Build) -> None:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(503)

        with pytest.raises(errors.RampUnreachable):
            ramp_that(answer).business()

        assert len(sent) == 1


class TestRequests:
    def sent(self, ramp_that: Build, act: Callable[[RampClient], object]) -> httpx.Request:
        requests: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(204, json={"data": [], "page": None})

        act(ramp_that(answer))
        return requests[0]

    def test_filters_are_written_as_ramp_reads_them(self, ramp_that: Build) -> None:
        def act(ramp: RampClient) -> object:
            return list(
                ramp.transactions(
                    sync_status="SYNC_READY",
                    requested_to_sync=True,
                    entity_id=UUID(ID),
                    from_date=datetime(2026, 3, 4, tzinfo=UTC),
                )
            )

        assert dict(self.sent(ramp_that, act).url.params) == {
            "sync_status": "SYNC_READY",
            "requested_to_sync": "true",
            "entity_id": ID,
            "from_date": "2026-03-04T00:00:00+00:00",
            "page_size": "100",
        }

    def test_a_change_has_a_body_even_with_nothing_to_say(self, ramp_that: Build) -> None:
        request = self.sent(ramp_that, lambda ramp: ramp.delete_connection())

        assert request.content == b"{}"
        assert request.headers["content-type"] == "application/json"

    def test_frozen_bytes_go_out_as_they_are(self, ramp_that: Build) -> None:
        frozen = b'{"idempotency_key" : "k",\n "sync_type":"TRANSACTION_SYNC", "x": "\xc3\xa9"}'
        requests: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            requests.append(request)
            return httpx.Response(201, json={"sync_id": "s"}, headers={"x-trace-id": "trace-1"})

        result = ramp_that(answer).post_syncs(frozen)

        assert requests[0].content == frozen
        assert (result.sync_id, result.trace_id) == ("s", "trace-1")

    def test_an_id_cannot_change_the_path(self, ramp_that: Build) -> None:
        request = self.sent(ramp_that, lambda ramp: ramp.delete_webhook("../token/revoke?x=1#"))

        assert request.url.raw_path == b"/developer/v1/webhooks/..%2Ftoken%2Frevoke%3Fx%3D1%23"

    def test_travels_in_the_lane_of_its_client(self, ramp_that: Build) -> None:
        def act(ramp: RampClient) -> object:
            ramp._api._lane = Lane.BUTTON
            return list(ramp.entities())

        assert self.sent(ramp_that, act).extensions[LANE] is Lane.BUTTON


class TestPages:
    def test_a_page_is_asked_for_when_it_is_wanted(self, ramp_that: Build) -> None:
        ramp = ramp_that(answers({"data": [GOOD], "page": {"next": "c1"}}))

        first = next(ramp.transactions())

        assert first.next_cursor == "c1"

    def test_reading_goes_on_where_it_was_left(self, ramp_that: Build) -> None:
        starts: list[str | None] = []

        def answer(request: httpx.Request) -> httpx.Response:
            starts.append(request.url.params.get("start"))
            following = {"c1": "c2", "c2": None}[request.url.params["start"]]
            return httpx.Response(200, json={"data": [GOOD], "page": {"next": following}})

        pages = list(ramp_that(answer).transactions(start="c1"))

        assert starts == ["c1", "c2"]
        assert len(pages) == 2

    @pytest.mark.parametrize("cursors", [["c1", "c1"], ["c1", "c2", "c1"]])
    def test_a_circle_is_left_with_what_came_before_it(
        self, ramp_that: Build, cursors: list[str]
    ) -> None:
        ramp = ramp_that(
            answers(*({"data": [GOOD], "page": {"next": cursor}} for cursor in cursors))
        )
        came: list[TransactionPage] = []

        with pytest.raises(errors.SchemaSurprise, match="circle") as caught:
            came.extend(ramp.transactions())

        assert len(came) == len(cursors)
        assert caught.value.trace_id == "trace-1"

    def test_a_first_page_that_leads_to_itself_is_a_circle_too(self, ramp_that: Build) -> None:
        ramp = ramp_that(answers({"data": [], "page": {"next": "c1"}}))

        with pytest.raises(errors.SchemaSurprise, match="circle"):
            list(ramp.transactions(start="c1"))

    def test_no_request_leaves_for_another_host(self, ramp_that: Build) -> None:
        hosts: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            hosts.append(request.url.host)
            following = "https://evil.example/?start=c1"
            return httpx.Response(200, json={"data": [GOOD], "page": {"next": following}})

        with pytest.raises(errors.ForeignAddress):
            list(ramp_that(answer).transactions())

        assert hosts == ["ramp.test"]

    def test_a_chart_is_complete_or_nothing(self, ramp_that: Build) -> None:
        ramp = ramp_that(answers({"data": [{"id": "6100", "name": "Travel"}]}))

        with pytest.raises(errors.SchemaSurprise, match="GLAccount 6100: ramp_id") as caught:
            list(ramp.gl_accounts())

        assert (caught.value.status, caught.value.trace_id) == (200, "trace-1")


class TestAnswers:
    @pytest.mark.parametrize("body", [b"", b"<h1>Hello</h1>", b"[]", b'{"id": "not a uuid"}'])
    def test_a_surprise_tells_where_to_look(self, ramp_that: Build, body: bytes) -> None:
        ramp = ramp_that(
            lambda request: httpx.Response(200, content=body, headers={"x-trace-id": "trace-1"})
        )

        with pytest.raises(errors.SchemaSurprise) as caught:
            ramp.business()

        assert caught.value.trace_id == "trace-1"

    @pytest.mark.parametrize("document", [{}, [], {"gl_accounts": None}, {"gl_accounts": [{}]}])
    def test_an_upload_must_be_confirmed(self, ramp_that: Build, document: object) -> None:
        ramp = ramp_that(answers(document))

        with pytest.raises(errors.SchemaSurprise):
            ramp.upload_gl_accounts([])

    @pytest.mark.parametrize("document", [{}, {"webhooks": []}])
    def test_webhooks_come_as_a_bare_list(self, ramp_that: Build, document: object) -> None:
        with pytest.raises(errors.SchemaSurprise):
            ramp_that(answers(document)).webhooks()

    def test_a_challenge_must_be_accepted(self, ramp_that: Build) -> None:
        with pytest.raises(errors.SchemaSurprise, match="challenge") as caught:
            ramp_that(answers({"success": False})).verify_webhook("1", challenge="c")

        assert caught.value.trace_id == "trace-1"

    def test_every_call_is_logged_with_its_trace_and_without_secrets(
        self, ramp_that: Build, caplog: pytest.LogCaptureFixture
    ) -> None:
        created = {"id": "1", "secret": "canary-secret", "status": "active"}
        with caplog.at_level(logging.DEBUG):
            ramp_that(answers(created)).create_webhook(
                endpoint_url="https://x/", event_types=["a"], additional_headers={"X": "canary-h"}
            )

        assert "POST webhooks: 200, trace trace-1" in caplog.text
        assert "canary" not in caplog.text


def test_bodies_are_compact_json(ramp_that: Build) -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(request.content)
        return httpx.Response(204)

    ramp_that(answer).ready_to_sync([UUID(ID)])

    assert json.loads(bodies[0]) == {"object_type": "TRANSACTION", "object_ids": [ID]}
    assert b" " not in bodies[0]
