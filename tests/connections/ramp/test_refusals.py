import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.ramp import errors
from connections.ramp.errors import RampError
from connections.ramp.refusals import error_for, is_token_refused, retry_after, trace_id

ID_1 = "9f8b2c1e-1111-4a4a-8b8b-000000000001"
ID_2 = "9F8B2C1E-2222-4A4A-8B8B-000000000002"


def answer(
    status: int,
    code: str = "",
    message: str = "",
    info: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    detail = {"error_code": code, "message": message, "additional_info": info or {}, "notes": ""}
    return httpx.Response(status, json={"error_v2": detail}, headers=headers or {})


class TestErrorFor:
    @pytest.mark.parametrize(
        ("response", "kind"),
        [
            (answer(401, "5001", "Invalid client"), errors.RampUnauthorised),
            (answer(400, "5006", "Malformed client_id"), errors.RampUnauthorised),
            (answer(400, "DEVELOPER_7012", "Grant not enabled"), errors.RampUnauthorised),
            (answer(401, "DEVELOPER_7028", "Access token has expired"), errors.RampUnauthorised),
            (answer(404, "DEVELOPER_7002", "Access token x not found"), errors.RampUnauthorised),
            (answer(404, "DEVELOPER_7002", "Purchase order not found"), errors.NotFound),
            (answer(403, "DEVELOPER_7100", "not allowed: bills:read"), errors.ScopeMissing),
            (httpx.Response(400, json={"error": "invalid_scope"}), errors.ScopeMissing),
            (answer(403, "", "Cannot manage splits"), errors.Forbidden),
            (httpx.Response(404, html="<h1>Not Found</h1>"), errors.NoSuchEndpoint),
            (answer(400, "DEVELOPER_7062", "not ready for sync"), errors.NotReadyForSync),
            (answer(400, "DEVELOPER_7005", "Idempotency key exists"), errors.KeyAlreadyUsed),
            (answer(400, "DEVELOPER_7089", "No API connection"), errors.NoConnection),
            (answer(422, "DEVELOPER_7001", "Unknown field."), errors.InvalidRequest),
            (answer(400, "DEVELOPER_7080", "state is required"), errors.InvalidRequest),
            (answer(409, "", "Duplicate"), errors.InvalidRequest),
            (answer(429, "", "Slow down"), errors.RampRateLimited),
            (httpx.Response(302, headers={"location": "https://x"}), errors.SchemaSurprise),
        ],
    )
    def test_each_refusal_has_its_error(
        self, response: httpx.Response, kind: type[RampError]
    ) -> None:
        assert type(error_for(response, changes=True)) is kind

    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_broken_server_may_have_made_the_change(self, status: int) -> None:
        broken = httpx.Response(status, html="<h1>Oops</h1>")

        assert type(error_for(broken, changes=True)) is errors.OutcomeUnknown
        assert type(error_for(broken, changes=False)) is errors.RampUnreachable

    def test_carries_what_ramps_support_asks_for(self) -> None:
        refused = answer(422, "DEVELOPER_7001", "Unknown field.", headers={"x-trace-id": "abc"})

        error = error_for(refused, changes=True)

        assert (error.status, error.code, error.trace_id) == (422, "DEVELOPER_7001", "abc")
        assert str(error) == "Unknown field. (HTTP 422, DEVELOPER_7001, trace abc)"

    def test_says_which_objects_are_not_ready(self) -> None:
        message = f"Objects {ID_1}, {ID_2} and {ID_1} are not ready for sync"

        error = error_for(answer(400, "DEVELOPER_7062", message), changes=True)

        assert isinstance(error, errors.NotReadyForSync)
        assert error.ids == (ID_1, ID_2.lower())

    def test_finds_every_object_in_a_message_too_long_to_keep(self) -> None:
        ids = [f"9f8b2c1e-1111-4a4a-8b8b-{number:012}" for number in range(5000)]

        error = error_for(answer(400, "DEVELOPER_7062", " ".join(ids)), changes=True)

        assert isinstance(error, errors.NotReadyForSync)
        assert list(error.ids) == ids
        assert len(error.message) <= 1000

    def test_says_which_scopes_are_missing(self) -> None:
        message = "These scopes are not allowed for this token: bills:read, vendors:read"

        error = error_for(answer(403, "DEVELOPER_7100", message), changes=False)

        assert isinstance(error, errors.ScopeMissing)
        assert error.scopes == ("bills:read", "vendors:read")

    def test_says_which_field_is_wrong(self) -> None:
        info = {"page_size": ["Value must be between 2 and 100"]}

        by_v2 = error_for(answer(422, "DEVELOPER_7001", "x", info), changes=True)
        by_legacy = error_for(httpx.Response(422, json={"error": info}), changes=True)

        assert isinstance(by_v2, errors.InvalidRequest)
        assert isinstance(by_legacy, errors.InvalidRequest)
        assert by_v2.fields == by_legacy.fields == info

    @given(
        st.sampled_from([400, 401, 403, 404, 409, 418, 422, 429, 500]),
        st.one_of(
            st.binary(max_size=50),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(),
                lambda inner: (
                    st.lists(inner)
                    | st.dictionaries(
                        st.sampled_from(["error_v2", "error", "message", "error_code"]), inner
                    )
                ),
                max_leaves=8,
            ).map(lambda value: json.dumps(value).encode()),
            st.just(b"[" * 100_000),
        ),
    )
    def test_no_body_is_odd_enough_to_hide_the_refusal(self, status: int, body: bytes) -> None:
        assert isinstance(error_for(httpx.Response(status, content=body), changes=True), RampError)


class TestTokenRefused:
    @pytest.mark.parametrize(
        ("response", "expected"),
        [
            (answer(401, "DEVELOPER_7028", "Access token has expired"), True),
            (answer(401, "DEVELOPER_7002", "Access token not found"), True),
            (httpx.Response(401, text=""), True),
            (answer(404, "DEVELOPER_7002", "Access token abc not found"), True),
            (answer(404, "DEVELOPER_7002", "Transaction abc not found"), False),
            (httpx.Response(404, html="<h1>Access token not found</h1>"), False),
            (answer(403, "DEVELOPER_7100", "Not allowed for this access token"), False),
        ],
    )
    def test_words_decide_where_the_status_does_not(
        self, response: httpx.Response, expected: bool
    ) -> None:
        assert is_token_refused(response) is expected


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({}, 10),
            ({"retry-after": "3"}, 3),
            ({"retry-after": " 0 "}, 0),
            ({"retry-after": "86400"}, 300),
            ({"retry-after": "9" * 400}, 10),
            ({"retry-after": "soon"}, 10),
            ({"retry-after": "-5"}, 10),
            ({"retry-after": "Thu, 01 Oct 2026 12:00:07 GMT"}, 10),
            (
                {
                    "retry-after": "Thu, 01 Oct 2026 12:00:07 GMT",
                    "date": "Thu, 01 Oct 2026 12:00:00 GMT",
                },
                7,
            ),
            (
                {
                    "retry-after": "Thu, 01 Oct 2026 11:00:00 GMT",
                    "date": "Thu, 01 Oct 2026 12:00:00 GMT",
                },
                0,
            ),
        ],
    )
    def test_believes_the_header_within_reason(self, headers: dict[str, str], seconds: int) -> None:
        assert retry_after(httpx.Response(429, headers=headers)) == timedelta(seconds=seconds)


def test_a_trace_id_is_never_longer_than_its_column() -> None:
    assert len(trace_id(httpx.Response(200, headers={"x-trace-id": "a" * 5000}))) == 100
