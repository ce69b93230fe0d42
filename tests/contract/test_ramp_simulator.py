"""The simulator's answers against Ramp's published OpenAPI documents, for all that it serves."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.invoices import Goods
from connections.ramp_simulator.operations import OPERATIONS, PREFIX, Operation
from tests.connections.ramp_simulator.side import ACCOUNTS, DEPARTMENTS, Client, ManualClock
from tests.contract import openapi

PATHS = openapi.find_documents()
if not PATHS:
    pytest.skip(openapi.MISSING, allow_module_level=True)
DOCUMENTS = [openapi.Document(path) for path in PATHS]
SERVED = {operation.name: operation for operation in OPERATIONS}

PUBLISHED = {name: operation for name, operation in SERVED.items() if operation.spec}

EVENT_TYPES = ["transactions.ready_to_sync", "transactions.cleared"]
VENDORS = [{"id": "v1", "name": "Uline", "code": "U"}, {"id": "v2", "name": "Amazon"}]


class Side(Client):
    """A client that is connected and has uploaded everything there is to upload."""

    def __init__(self) -> None:
        self.sim = Simulator.with_scenario("small", rate_limit=False, clock=ManualClock())
        super().__init__(self.sim, self.sim.business("harbor-coffee"))
        body = {"remote_provider_name": "rampbridge"}
        self.connection = self.post("/accounting/connection", body).json()["id"]
        [self.account, *_] = self.uploaded("/accounting/accounts", {"gl_accounts": ACCOUNTS})
        [self.vendor, *_] = self.uploaded("/accounting/vendors", {"vendors": VENDORS})
        self.field = self.post(
            "/accounting/fields",
            {"id": "dep", "name": "Department", "input_type": "SINGLE_CHOICE"},
        ).json()["ramp_id"]
        options = [
            {"id": row["id"], "value": row["name"], "code": row["code"]} for row in DEPARTMENTS
        ]
        [self.option, *_] = self.uploaded(
            "/accounting/field-options", {"field_id": self.field, "options": options}
        )
        self.create_taxes()
        self.create_items()
        self.entity = self.every_row("/entities")[0]["id"]
        self.ready = [row.id for row in self.business.transactions("SYNC_READY")]
        self.webhook = self.create_webhook().json()["id"]
        self.reimbursement = self.business.create_reimbursement(account_code="6100").id
        self.transfer = self.business.create_transfer().id
        self.cashback = self.business.create_cashback().id
        self.statement = self.business.create_statement().id
        self.bill = self.create_bills()

    def create_taxes(self) -> None:
        rates = {"tax_rates": [self.tax_rate("vat"), self.tax_rate("gst", rate=0.05)]}
        [rate, _] = self.post("/accounting/tax/rates", rates).json()["tax_rates"]
        self.rate = rate["ramp_id"]
        self.post("/accounting/tax/code", {"name": "Tax", "display_name": "VAT"})
        options = [{"id": "full", "name": "Full", "tax_rate_ids": ["vat", "gst"]}]
        made = self.post("/accounting/tax/code/options", {"options": options}).json()["options"]
        self.tax_code = made[0]["ramp_id"]

    def tax_rate(self, row_id: str, rate: object = "0.19") -> dict[str, Any]:
        return {
            "id": row_id,
            "name": row_id.upper(),
            "rate": rate,
            "accounting_gl_account_id": self.account,
        }

    def create_items(self) -> None:
        self.post("/accounting/inventory-item", {"name": "Item"})
        options = [{"id": "i1", "name": "Beans", "gl_account_id": self.account}]
        made = self.post("/accounting/inventory-item/options", {"options": options})
        self.item = made.json()["options"][0]["ramp_id"]

    def anew(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Create what there may be only one of."""
        self.delete(path, {})
        return self.post(path, body)

    def create_bills(self) -> str:
        """A bill of each kind; the id of one that is paid by cheque, with a credit applied."""
        business = self.business
        goods = [Goods(quantity=3, unit_minor=1500, account_code="6400", memo="Boxes")]
        bill = business.create_bill(minor=4500, goods=goods, department="OPS", invoice_number="7")
        self.credit = business.create_vendor_credit("10.00", account_code="6400").id
        business.apply_vendor_credit(self.credit, bill.id, "4.00")
        business.pay_bill(bill.id, method="CHECK")
        for method in ("ONE_TIME_CARD", "ACH", "PAID_MANUALLY"):
            paid = business.create_bill(account_code="6600", vendor="Baker & Finch LLP")
            business.pay_bill(paid.id, method=method)
        foreign = business.create_bill("90.00", currency="EUR", fx_rate="1.0845", tax_code="full")
        business.start_check(foreign.id)
        business.create_bill(
            approved=False, planned_method=None, lines=[(9000, None), (9000, "6100")]
        )
        self.report((bill.id, "B-1"), key="bills", sync_type="BILL_SYNC")
        self.payee = bill.payee_id
        self.receipt = business.add_receipt(self.ready[2]).id
        return bill.id

    def uploaded(self, path: str, body: dict[str, Any]) -> list[str]:
        ids: list[str] = self.post(path, body).json()["uploaded"]
        return ids

    def create_webhook(self) -> httpx.Response:
        body = {
            "endpoint_url": "https://bridge.test/w",
            "event_types": EVENT_TYPES,
            "additional_headers": {"X-Bridge": "1"},
        }
        return self.post("/webhooks", body)

    def revoke(self) -> httpx.Response:
        token = self.http.headers["Authorization"].removeprefix("Bearer ")
        credentials = (self.business.client_id, self.business.client_secret)
        path = f"{PREFIX}/token/revoke"
        return self.http.post(path, auth=credentials, data={"token": token})

    def verify(self) -> httpx.Response:
        record = self.sim.world.webhooks.get(self.webhook)
        assert record is not None
        return self.post(f"/webhooks/{self.webhook}/verify", {"challenge": record.challenge})

    def reactivate(self) -> httpx.Response:
        self.delete("/accounting/connection", {})
        return self.post(f"/accounting/connection/{self.connection}/reactivate", {})

    def mark_ready(self) -> httpx.Response:
        self.business.connect_directly()
        return self.post(f"/accounting/connection/{self.connection}/ready-to-migrate", {})

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.http.put(f"{PREFIX}{path}", json=body)

    def unready(self) -> str:
        return self.business.create_transaction().id

    def coding(self) -> httpx.Response:
        vendor = self.get(f"/accounting/vendors/{self.vendor}").json()
        field = vendor["vendor_category_info"]["ramp_id"]
        selection = {"field_id": field, "field_option_id": self.vendor}
        body = {
            "object_type": "TRANSACTION",
            "object_id": self.ready[0],
            "accounting_field_selections": [selection],
        }
        return self.post("/accounting/codings", body)

    def only_id(self, part: str) -> str:
        [row] = self.every_row(f"/vendors/{self.payee}/{part}")
        return str(row["id"])

    def settings(self) -> dict[str, Any]:
        return {"settings": {"vendor_credits_enabled": True}}

    def new_account(self) -> dict[str, Any]:
        return {"id": "new", "name": "Freight", "classification": "EXPENSE", "code": "6700"}

    def new_field(self) -> dict[str, Any]:
        return {"id": "new", "name": "Project", "input_type": "SINGLE_CHOICE"}


EXAMPLES: dict[str, Callable[[Side], httpx.Response]] = {
    "POST /token": lambda side: side.token(grant_type="client_credentials", scope="business:read"),
    "POST /token/revoke": lambda side: side.revoke(),
    "GET /business": lambda side: side.get("/business"),
    "GET /entities": lambda side: side.get("/entities"),
    "GET /entities/{entity_id}": lambda side: side.get(f"/entities/{side.entity}"),
    "GET /accounting/all-connections": lambda side: side.get("/accounting/all-connections"),
    "GET /accounting/connection": lambda side: side.get("/accounting/connection"),
    "POST /accounting/connection": lambda side: side.post(
        "/accounting/connection", {"remote_provider_name": "rampbridge", **side.settings()}
    ),
    "DELETE /accounting/connection": lambda side: side.delete("/accounting/connection", {}),
    "GET /accounting/connection/{connection_id}": lambda side: side.get(
        f"/accounting/connection/{side.connection}"
    ),
    "PATCH /accounting/connection/{connection_id}": lambda side: side.patch(
        f"/accounting/connection/{side.connection}", side.settings()
    ),
    "POST /accounting/connection/{connection_id}/reactivate": lambda side: side.reactivate(),
    "POST /accounting/connection/{connection_id}/ready-to-migrate": lambda side: side.mark_ready(),
    "GET /accounting/accounts": lambda side: side.get("/accounting/accounts"),
    "POST /accounting/accounts": lambda side: side.post(
        "/accounting/accounts", {"gl_accounts": [side.new_account()]}
    ),
    "GET /accounting/accounts/{gl_account_id}": lambda side: side.get(
        f"/accounting/accounts/{side.account}"
    ),
    "PATCH /accounting/accounts/{gl_account_id}": lambda side: side.patch(
        f"/accounting/accounts/{side.account}", {"name": "Trips", "code": ""}
    ),
    "DELETE /accounting/accounts/{gl_account_id}": lambda side: side.delete(
        f"/accounting/accounts/{side.account}", {}
    ),
    "GET /accounting/vendors": lambda side: side.get("/accounting/vendors"),
    "POST /accounting/vendors": lambda side: side.post(
        "/accounting/vendors", {"vendors": [{"id": "new", "name": "Probat"}]}
    ),
    "GET /accounting/vendors/{vendor_id}": lambda side: side.get(
        f"/accounting/vendors/{side.vendor}"
    ),
    "PATCH /accounting/vendors/{vendor_id}": lambda side: side.patch(
        f"/accounting/vendors/{side.vendor}", {"name": "Uline Inc."}
    ),
    "DELETE /accounting/vendors/{vendor_id}": lambda side: side.delete(
        f"/accounting/vendors/{side.vendor}", {}
    ),
    "GET /accounting/fields": lambda side: side.get("/accounting/fields"),
    "POST /accounting/fields": lambda side: side.post("/accounting/fields", side.new_field()),
    "GET /accounting/fields/{field_id}": lambda side: side.get(f"/accounting/fields/{side.field}"),
    "PATCH /accounting/fields/{field_id}": lambda side: side.patch(
        f"/accounting/fields/{side.field}", {"display_name": "Team"}
    ),
    "DELETE /accounting/fields/{field_id}": lambda side: side.delete(
        f"/accounting/fields/{side.field}", {}
    ),
    "GET /accounting/field-options": lambda side: side.get(
        "/accounting/field-options", field_id=side.field
    ),
    "POST /accounting/field-options": lambda side: side.post(
        "/accounting/field-options",
        {"field_id": side.field, "options": [{"id": "new", "value": "Legal"}]},
    ),
    "GET /accounting/field-options/{field_option_id}": lambda side: side.get(
        f"/accounting/field-options/{side.option}"
    ),
    "PATCH /accounting/field-options/{field_option_id}": lambda side: side.patch(
        f"/accounting/field-options/{side.option}", {"visibility": "HIDDEN"}
    ),
    "PUT /accounting/field-options/{field_option_id}": lambda side: side.put(
        f"/accounting/field-options/{side.option}", {"value": "Research"}
    ),
    "DELETE /accounting/field-options/{field_option_id}": lambda side: side.delete(
        f"/accounting/field-options/{side.option}", {}
    ),
    "GET /accounting/tax/rates": lambda side: side.get("/accounting/tax/rates"),
    "POST /accounting/tax/rates": lambda side: side.post(
        "/accounting/tax/rates", {"tax_rates": [side.tax_rate("new")]}
    ),
    "PATCH /accounting/tax/rates/{tax_rate_id}": lambda side: side.patch(
        f"/accounting/tax/rates/{side.rate}", {"name": "VAT 20", "rate": "0.20"}
    ),
    "DELETE /accounting/tax/rates/{tax_rate_id}": lambda side: side.delete(
        f"/accounting/tax/rates/{side.rate}", {}
    ),
    "GET /accounting/tax/code": lambda side: side.get("/accounting/tax/code"),
    "POST /accounting/tax/code": lambda side: side.anew("/accounting/tax/code", {"name": "VAT"}),
    "PATCH /accounting/tax/code": lambda side: side.patch(
        "/accounting/tax/code", {"display_name": None}
    ),
    "DELETE /accounting/tax/code": lambda side: side.delete("/accounting/tax/code", {}),
    "GET /accounting/tax/code/options": lambda side: side.get("/accounting/tax/code/options"),
    "POST /accounting/tax/code/options": lambda side: side.post(
        "/accounting/tax/code/options", {"options": [{"id": "new", "name": "None"}]}
    ),
    "PATCH /accounting/tax/code/options/{option_id}": lambda side: side.patch(
        f"/accounting/tax/code/options/{side.tax_code}", {"tax_rate_ids": ["gst"]}
    ),
    "DELETE /accounting/tax/code/options/{option_id}": lambda side: side.delete(
        f"/accounting/tax/code/options/{side.tax_code}", {}
    ),
    "GET /accounting/inventory-item": lambda side: side.get("/accounting/inventory-item"),
    "POST /accounting/inventory-item": lambda side: side.anew(
        "/accounting/inventory-item", {"name": "Item", "display_name": "Goods"}
    ),
    "PATCH /accounting/inventory-item": lambda side: side.patch(
        "/accounting/inventory-item", {"name": "Product"}
    ),
    "DELETE /accounting/inventory-item": lambda side: side.delete("/accounting/inventory-item", {}),
    "GET /accounting/inventory-item/options": lambda side: side.get(
        "/accounting/inventory-item/options"
    ),
    "POST /accounting/inventory-item/options": lambda side: side.post(
        "/accounting/inventory-item/options", {"options": [{"id": "new", "name": "Cups"}]}
    ),
    "PATCH /accounting/inventory-item/options/{option_id}": lambda side: side.patch(
        f"/accounting/inventory-item/options/{side.item}", {"name": "Cups", "reactivate": True}
    ),
    "DELETE /accounting/inventory-item/options/{option_id}": lambda side: side.delete(
        f"/accounting/inventory-item/options/{side.item}", {}
    ),
    "POST /accounting/syncs": lambda side: side.report(
        (side.ready[0], "M1"),
        failed_syncs=[{"id": side.ready[1], "error": {"message": "Closed."}}],
    ),
    "POST /accounting/ready-to-sync": lambda side: side.post(
        "/accounting/ready-to-sync",
        {"object_type": "TRANSACTION", "object_ids": [side.unready()]},
    ),
    "GET /transactions": lambda side: side.get("/transactions", state="ALL", page_size=100),
    "GET /transactions/{transaction_id}": lambda side: side.get(
        f"/transactions/{side.ready[1]}", include_merchant_data="true"
    ),
    "GET /cards": lambda side: side.get("/cards"),
    "POST /accounting/codings": lambda side: side.coding(),
    "GET /reimbursements": lambda side: side.get("/reimbursements"),
    "GET /reimbursements/{reimbursement_id}": lambda side: side.get(
        f"/reimbursements/{side.reimbursement}"
    ),
    "GET /transfers": lambda side: side.get("/transfers"),
    "GET /transfers/{transfer_id}": lambda side: side.get(f"/transfers/{side.transfer}"),
    "GET /cashbacks": lambda side: side.get("/cashbacks"),
    "GET /cashbacks/{cashback_id}": lambda side: side.get(f"/cashbacks/{side.cashback}"),
    "GET /statements": lambda side: side.get("/statements"),
    "GET /statements/{statement_id}": lambda side: side.get(f"/statements/{side.statement}"),
    "GET /bills": lambda side: side.get("/bills"),
    "GET /bills/{bill_id}": lambda side: side.get(f"/bills/{side.bill}"),
    "GET /vendors": lambda side: side.get("/vendors"),
    "GET /vendors/{vendor_id}": lambda side: side.get(f"/vendors/{side.payee}"),
    "PATCH /vendors/{vendor_id}": lambda side: side.patch(
        f"/vendors/{side.payee}", {"accounting_vendor_remote_id": "v2"}
    ),
    "GET /vendors/{vendor_id}/contacts": lambda side: side.get(f"/vendors/{side.payee}/contacts"),
    "GET /vendors/{vendor_id}/contacts/{vendor_contact_id}": lambda side: side.get(
        f"/vendors/{side.payee}/contacts/{side.only_id('contacts')}"
    ),
    "GET /vendors/{vendor_id}/accounts": lambda side: side.get(f"/vendors/{side.payee}/accounts"),
    "GET /vendors/{vendor_id}/accounts/{bank_account_id}": lambda side: side.get(
        f"/vendors/{side.payee}/accounts/{side.only_id('accounts')}"
    ),
    "GET /vendors/credits": lambda side: side.get("/vendors/credits"),
    "GET /vendors/credits/{vendor_credit_id}": lambda side: side.get(
        f"/vendors/credits/{side.credit}"
    ),
    "GET /vendors/{vendor_id}/credits": lambda side: side.get(f"/vendors/{side.payee}/credits"),
    "GET /receipts": lambda side: side.get("/receipts"),
    "GET /receipts/{receipt_id}": lambda side: side.get(f"/receipts/{side.receipt}"),
    "GET /webhooks": lambda side: side.get("/webhooks"),
    "POST /webhooks": lambda side: side.create_webhook(),
    "POST /webhooks/mock-webhook-event": lambda side: side.post(
        "/webhooks/mock-webhook-event",
        {"event_type": EVENT_TYPES[0], "object_id": side.ready[0], "object_metadata": {}},
    ),
    "GET /webhooks/{webhook_id}": lambda side: side.get(f"/webhooks/{side.webhook}"),
    "DELETE /webhooks/{webhook_id}": lambda side: side.delete(f"/webhooks/{side.webhook}"),
    "POST /webhooks/{webhook_id}/verify": lambda side: side.verify(),
}


@pytest.fixture
def side() -> Side:
    return Side()


def published(operation: Operation) -> tuple[openapi.Document, dict[str, Any]]:
    assert operation.spec is not None
    path = f"{PREFIX}{operation.path}"
    document = openapi.document_for(DOCUMENTS, operation.spec, operation.method, path)
    found = document.operation(operation.method, path)
    assert found is not None
    return document, found


def problems(document: openapi.Document, schema: dict[str, Any], instance: Any) -> list[str]:
    return [
        f"{error.json_path}: {error.message[:300]}"
        for error in document.validator(schema).iter_errors(instance)
    ]


def check_answer(operation: Operation, answer: httpx.Response) -> None:
    document, described = published(operation)
    assert str(answer.status_code) in described["responses"], answer.text
    content = described["responses"][str(answer.status_code)].get("content", {})
    if content and answer.status_code != 204:
        schema = content["application/json"]["schema"]
        body = answer.json()
        for key in operation.newer_keys:
            del body[key]
        assert problems(document, schema, body) == []


def check_request(operation: Operation, request: httpx.Request) -> None:
    """So that an example is one that Ramp's own schema would take."""
    document, described = published(operation)
    if "requestBody" not in described or "json" not in request.headers.get("content-type", ""):
        return
    schema = described["requestBody"]["content"]["application/json"]["schema"]
    assert problems(document, schema, httpx.Response(200, content=request.content).json()) == []


def test_every_operation_served_has_an_example() -> None:
    assert EXAMPLES.keys() == SERVED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_answer_is_as_published(side: Side, name: str) -> None:
    answer = EXAMPLES[name](side)

    assert answer.is_success, answer.text
    check_request(SERVED[name], answer.request)
    check_answer(SERVED[name], answer)


@pytest.mark.parametrize("name", sorted(SERVED.keys() - PUBLISHED.keys()))
def test_what_only_the_guide_tells_of_is_answered(side: Side, name: str) -> None:
    answer = EXAMPLES[name](side)

    assert answer.is_success, answer.text


DEMO = {
    "GET /transactions": {"state": "ALL"},
    "GET /reimbursements": {},
    "GET /transfers": {},
    "GET /cashbacks": {},
    "GET /statements": {},
    "GET /bills": {},
    "GET /vendors": {},
    "GET /receipts": {},
}


def test_all_objects_of_the_demo_are_as_published() -> None:
    sim = Simulator.with_scenario("demo", rate_limit=False, clock=ManualClock())
    for business in sim.businesses():
        business.upload_chart(accounts=ACCOUNTS, departments=DEPARTMENTS, vendors=VENDORS)
        client = Client(sim, business)
        for name, query in DEMO.items():
            operation = SERVED[name]
            answer = client.get(operation.path, page_size=100, **query)
            assert answer.json()["data"]
            check_answer(operation, answer)


def wrong_value(schema: dict[str, Any]) -> str | None:
    """A value that the schema of a query parameter does not allow, where there is one."""
    if any(kind["type"] == "number" for kind in schema.get("oneOf", ())):
        return "a lot"
    if schema.get("format") == "date" or "enum" in schema.get("items", ()):
        return "soon"
    if "enum" in schema or schema.get("format") in {"uuid", "date-time"}:
        return "2026-03-01"
    return "2026-03-01" if schema.get("type") in {"boolean", "integer"} else None


LISTS = (
    "/accounting/accounts",
    "/accounting/field-options",
    "/accounting/fields",
    "/accounting/inventory-item/options",
    "/accounting/tax/code/options",
    "/accounting/tax/rates",
    "/accounting/vendors",
    "/bills",
    "/cashbacks",
    "/receipts",
    "/reimbursements",
    "/statements",
    "/transactions",
    "/transfers",
    "/vendors",
    "/vendors/credits",
)
# Filters of a list are in whichever document has it, though its answer may be in one only.
TYPED_PARAMETERS = sorted(
    {
        (path, parameter["name"], wrong)
        for path in LISTS
        for document in DOCUMENTS
        for parameter in (document.operation("GET", f"{PREFIX}{path}") or {"parameters": ()})[
            "parameters"
        ]
        if (wrong := wrong_value(parameter["schema"]))
    }
)


@pytest.mark.parametrize(("path", "name", "wrong"), TYPED_PARAMETERS)
def test_a_published_filter_is_heeded(side: Side, path: str, name: str, wrong: str) -> None:
    """A filter that refuses a wrong value is one that is read."""
    query = {"field_id": side.field} | {name: wrong}

    assert side.get(path, **query).status_code == 422
