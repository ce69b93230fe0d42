"""A client's side of the pretend Ramp: a clock to turn, a chart to upload, a signed-in client."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.scenarios import SCOPES

NOON = datetime(2026, 3, 18, 12, 0, tzinfo=UTC)
API = "/developer/v1"

ACCOUNTS: list[dict[str, Any]] = [
    {"id": f"erp-{code}", "code": code, "name": name, "classification": classification}
    for code, name, classification in (
        ("2150", "Ramp card clearing", "LIABILITY"),
        ("6100", "Travel", "EXPENSE"),
        ("6200", "Software", "EXPENSE"),
        ("6300", "Meals", "EXPENSE"),
        ("6400", "Office supplies", "EXPENSE"),
        ("6500", "Advertising", "EXPENSE"),
        ("6600", "Professional fees", "EXPENSE"),
    )
]
DEPARTMENTS: list[dict[str, Any]] = [
    {"id": "dep-1", "code": "ENG", "name": "Engineering"},
    {"id": "dep-2", "code": "SAL", "name": "Sales"},
    {"id": "dep-3", "code": "OPS", "name": "Operations"},
]


class ManualClock:
    """Time that stands still until someone turns it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class Client:
    """An API client of one business, in process, with a token for all scopes."""

    def __init__(self, simulator: Simulator, business: BusinessHandle) -> None:
        self.http = httpx.Client(
            transport=httpx.WSGITransport(app=simulator.wsgi), base_url="http://ramp.test"
        )
        self.business = business
        self.sign_in()

    def sign_in(self, scope: str = " ".join(SCOPES)) -> None:
        answer = self.token(grant_type="client_credentials", scope=scope)
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    def token(self, **form: str) -> httpx.Response:
        credentials = (self.business.client_id, self.business.client_secret)
        return self.http.post(f"{API}/token", auth=credentials, data=form)

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(f"{API}{path}", params=query)

    def post(self, path: str, body: Any) -> httpx.Response:
        return self.http.post(f"{API}{path}", json=body)

    def patch(self, path: str, body: Any) -> httpx.Response:
        return self.http.patch(f"{API}{path}", json=body)

    def delete(self, path: str, body: Any = None) -> httpx.Response:
        return self.http.request("DELETE", f"{API}{path}", json=body)

    def every_row(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Follow the pages to the end."""
        rows: list[dict[str, Any]] = []
        answer = self.get(path, **query)
        while True:
            rows += answer.json()["data"]
            following = answer.json()["page"]["next"]
            if following is None:
                return rows
            answer = self.http.get(following)

    def report(self, *reported: tuple[str, str], key: str = "key-1", **more: Any) -> httpx.Response:
        """Tell Ramp that these transactions were booked, as pairs of id and reference."""
        body = {"idempotency_key": key, "sync_type": "TRANSACTION_SYNC", **more}
        if reported:
            body["successful_syncs"] = [
                {"id": row_id, "reference_id": reference} for row_id, reference in reported
            ]
        return self.post("/accounting/syncs", body)


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["error_v2"]["error_code"])
