"""Every operation the simulator serves, and the published specification its answers follow.

The contract test validates an answer of each against that specification. `note` says where the
wire is known to differ from the document, and where we follow the wire.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from connections.ramp_simulator import (
    bills,
    businesses,
    cards,
    cashbacks,
    chart,
    custom_fields,
    items,
    oauth,
    payee_details,
    payees,
    posted_codings,
    receipts,
    reimbursements,
    seats,
    statements,
    syncs,
    taxes,
    transactions,
    transfers,
    vendor_credits,
    webhooks,
)
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.replies import Reply
from connections.ramp_simulator.world import World

PREFIX = "/developer/v1"
Handler = Callable[[World, Call], Reply]


class Spec(StrEnum):
    """Published states of Ramp's OpenAPI document."""

    Y2025 = "openapi-2025"
    Y2026 = "openapi-2026-additions"


@dataclass(frozen=True, slots=True)
class Operation:
    """`scope` None needs a token without any scope; `is_open` needs no token at all.

    `spec` None: no stored document has it, and the guide alone tells of it.
    `newer_keys` are keys of the answer in which a later document, or the wire, wins over `spec`.
    """

    method: str
    path: str
    handler: Handler
    scope: str | None
    spec: Spec | None
    note: str = ""
    is_open: bool = False
    newer_keys: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


READ, WRITE = "accounting:read", "accounting:write"
_TRANSACTION_NOTE = (
    "entity_amount, merchant_amount, updated_at, original_transaction_id and"
    " all_requirements_met_and_approved are of August 2026 and in no stored schema"
)
_SETTINGS_NOTE = "settings is null once disconnected, as seen live; the schema has no null"
_EVENTS_NOTE = "transactions.synced and other later event types are missing in the schema's list"

OPERATIONS = (
    Operation("POST", "/token", oauth.create_token, None, Spec.Y2026, is_open=True),
    Operation("POST", "/token/revoke", oauth.revoke_token, None, Spec.Y2026, is_open=True),
    Operation("GET", "/business", businesses.get_business, "business:read", Spec.Y2025),
    Operation("GET", "/entities", businesses.list_entities, "entities:read", Spec.Y2025),
    Operation("GET", "/entities/{entity_id}", businesses.get_entity, "entities:read", Spec.Y2025),
    Operation(
        "GET",
        "/accounting/all-connections",
        seats.list_connections,
        READ,
        Spec.Y2026,
        _SETTINGS_NOTE,
    ),
    Operation("GET", "/accounting/connection", seats.get_active, READ, Spec.Y2026),
    Operation(
        "POST",
        "/accounting/connection",
        seats.create_connection,
        WRITE,
        Spec.Y2026,
        "answers the incumbent if the seat is taken, as seen live; is_active is in the guide only",
    ),
    Operation("DELETE", "/accounting/connection", seats.delete_connection, WRITE, Spec.Y2026),
    Operation(
        "GET",
        "/accounting/connection/{connection_id}",
        seats.get_connection,
        READ,
        Spec.Y2026,
        _SETTINGS_NOTE,
    ),
    Operation(
        "PATCH",
        "/accounting/connection/{connection_id}",
        seats.patch_connection,
        WRITE,
        Spec.Y2026,
    ),
    Operation(
        "POST",
        "/accounting/connection/{connection_id}/reactivate",
        seats.reactivate_connection,
        WRITE,
        Spec.Y2026,
    ),
    Operation(
        "POST",
        "/accounting/connection/{connection_id}/ready-to-migrate",
        seats.mark_ready,
        WRITE,
        None,
        "the guide tells of four conditions; that each is refused with 400 is ours",
    ),
    Operation("GET", "/accounting/accounts", chart.list_accounts, READ, Spec.Y2026),
    Operation("POST", "/accounting/accounts", chart.upload_accounts, WRITE, Spec.Y2026),
    Operation("GET", "/accounting/accounts/{gl_account_id}", chart.get_account, READ, Spec.Y2026),
    Operation(
        "PATCH", "/accounting/accounts/{gl_account_id}", chart.patch_account, WRITE, Spec.Y2026
    ),
    Operation(
        "DELETE", "/accounting/accounts/{gl_account_id}", chart.delete_account, WRITE, Spec.Y2026
    ),
    Operation("GET", "/accounting/vendors", chart.list_vendors, READ, Spec.Y2026),
    Operation("POST", "/accounting/vendors", chart.upload_vendors, WRITE, Spec.Y2026),
    Operation("GET", "/accounting/vendors/{vendor_id}", chart.get_vendor, READ, Spec.Y2026),
    Operation("PATCH", "/accounting/vendors/{vendor_id}", chart.patch_vendor, WRITE, Spec.Y2026),
    Operation("DELETE", "/accounting/vendors/{vendor_id}", chart.delete_vendor, WRITE, Spec.Y2026),
    Operation("GET", "/accounting/fields", custom_fields.list_fields, READ, Spec.Y2026),
    Operation("POST", "/accounting/fields", custom_fields.create_field, WRITE, Spec.Y2026),
    Operation("GET", "/accounting/fields/{field_id}", custom_fields.get_field, READ, Spec.Y2026),
    Operation(
        "PATCH", "/accounting/fields/{field_id}", custom_fields.patch_field, WRITE, Spec.Y2026
    ),
    Operation(
        "DELETE", "/accounting/fields/{field_id}", custom_fields.delete_field, WRITE, Spec.Y2026
    ),
    Operation("GET", "/accounting/field-options", custom_fields.list_options, READ, Spec.Y2026),
    Operation("POST", "/accounting/field-options", custom_fields.upload_options, WRITE, Spec.Y2026),
    Operation(
        "GET",
        "/accounting/field-options/{field_option_id}",
        custom_fields.get_option,
        READ,
        Spec.Y2026,
    ),
    Operation(
        "PATCH",
        "/accounting/field-options/{field_option_id}",
        custom_fields.patch_option,
        WRITE,
        Spec.Y2026,
    ),
    Operation(
        "PUT",
        "/accounting/field-options/{field_option_id}",
        custom_fields.patch_option,
        WRITE,
        Spec.Y2026,
    ),
    Operation(
        "DELETE",
        "/accounting/field-options/{field_option_id}",
        custom_fields.delete_option,
        WRITE,
        Spec.Y2026,
    ),
    Operation("GET", "/accounting/tax/rates", taxes.list_rates, READ, Spec.Y2026),
    Operation("POST", "/accounting/tax/rates", taxes.upload_rates, WRITE, Spec.Y2026),
    Operation("PATCH", "/accounting/tax/rates/{tax_rate_id}", taxes.patch_rate, WRITE, Spec.Y2026),
    Operation(
        "DELETE", "/accounting/tax/rates/{tax_rate_id}", taxes.delete_rate, WRITE, Spec.Y2026
    ),
    Operation("GET", "/accounting/tax/code", taxes.get_field, READ, Spec.Y2026),
    Operation("POST", "/accounting/tax/code", taxes.create_field, WRITE, Spec.Y2026),
    Operation("PATCH", "/accounting/tax/code", taxes.patch_field, WRITE, Spec.Y2026),
    Operation("DELETE", "/accounting/tax/code", taxes.delete_field, WRITE, Spec.Y2026),
    Operation("GET", "/accounting/tax/code/options", taxes.list_codes, READ, Spec.Y2026),
    Operation("POST", "/accounting/tax/code/options", taxes.upload_codes, WRITE, Spec.Y2026),
    Operation(
        "PATCH", "/accounting/tax/code/options/{option_id}", taxes.patch_code, WRITE, Spec.Y2026
    ),
    Operation(
        "DELETE", "/accounting/tax/code/options/{option_id}", taxes.delete_code, WRITE, Spec.Y2026
    ),
    Operation("GET", "/accounting/inventory-item", items.get_field, READ, Spec.Y2026),
    Operation("POST", "/accounting/inventory-item", items.create_field, WRITE, Spec.Y2026),
    Operation("PATCH", "/accounting/inventory-item", items.patch_field, WRITE, Spec.Y2026),
    Operation("DELETE", "/accounting/inventory-item", items.delete_field, WRITE, Spec.Y2026),
    Operation("GET", "/accounting/inventory-item/options", items.list_items, READ, Spec.Y2026),
    Operation("POST", "/accounting/inventory-item/options", items.upload_items, WRITE, Spec.Y2026),
    Operation(
        "PATCH",
        "/accounting/inventory-item/options/{option_id}",
        items.patch_item,
        WRITE,
        Spec.Y2026,
    ),
    Operation(
        "DELETE",
        "/accounting/inventory-item/options/{option_id}",
        items.delete_item,
        WRITE,
        Spec.Y2026,
    ),
    Operation(
        "POST",
        "/accounting/syncs",
        syncs.create_sync,
        WRITE,
        Spec.Y2026,
        "also takes the sync types of 2025, and sync_request_id, which is in the guide only",
    ),
    Operation(
        "POST",
        "/accounting/ready-to-sync",
        syncs.mark_ready,
        WRITE,
        Spec.Y2026,
        "also takes REIMBURSEMENT, as seen live",
    ),
    Operation("POST", "/accounting/codings", posted_codings.code_object, WRITE, None),
    Operation(
        "GET",
        "/transactions",
        transactions.list_transactions,
        "transactions:read",
        Spec.Y2026,
        f"{_TRANSACTION_NOTE}; updated_after and requested_to_sync are honoured, as seen live"
        " and in the guide",
    ),
    Operation(
        "GET",
        "/transactions/{transaction_id}",
        transactions.get_transaction,
        "transactions:read",
        Spec.Y2025,
        f"{_TRANSACTION_NOTE}; trip_id and trip_name may be null, as in the list of 2026",
        newer_keys=("trip_id", "trip_name"),
    ),
    Operation(
        "GET",
        "/reimbursements",
        reimbursements.list_reimbursements,
        "reimbursements:read",
        Spec.Y2025,
        "the filters are those of 2026, and requested_to_sync of the guide",
    ),
    Operation(
        "GET",
        "/reimbursements/{reimbursement_id}",
        reimbursements.get_reimbursement,
        "reimbursements:read",
        Spec.Y2025,
    ),
    Operation("GET", "/transfers", transfers.list_transfers, "transfers:read", Spec.Y2026),
    Operation(
        "GET", "/transfers/{transfer_id}", transfers.get_transfer, "transfers:read", Spec.Y2025
    ),
    Operation(
        "GET",
        "/cards",
        cards.list_cards,
        "cards:read",
        None,
        "public, and in no stored schema; only the id and the end of the number are read",
    ),
    Operation("GET", "/cashbacks", cashbacks.list_cashbacks, "cashbacks:read", Spec.Y2025),
    Operation(
        "GET", "/cashbacks/{cashback_id}", cashbacks.get_cashback, "cashbacks:read", Spec.Y2025
    ),
    Operation("GET", "/statements", statements.list_statements, "statements:read", Spec.Y2025),
    Operation(
        "GET",
        "/statements/{statement_id}",
        statements.get_statement,
        "statements:read",
        Spec.Y2025,
    ),
    Operation("GET", "/bills", bills.list_bills, "bills:read", Spec.Y2026),
    Operation(
        "GET",
        "/bills/{bill_id}",
        bills.get_bill,
        "bills:read",
        Spec.Y2025,
        "has the keys of the list of 2026 too, and may have a null external_code as that;"
        " only here is there a trace_id",
    ),
    Operation("GET", "/vendors/credits", vendor_credits.list_credits, "vendors:read", Spec.Y2026),
    Operation(
        "GET",
        "/vendors/credits/{vendor_credit_id}",
        vendor_credits.get_credit,
        "vendors:read",
        Spec.Y2026,
    ),
    Operation(
        "GET",
        "/vendors/{vendor_id}/credits",
        vendor_credits.list_credits_of_payee,
        "vendors:read",
        Spec.Y2026,
    ),
    Operation("GET", "/vendors", payees.list_payees, "vendors:read", Spec.Y2025),
    Operation("GET", "/vendors/{vendor_id}", payees.get_payee, "vendors:read", Spec.Y2025),
    Operation(
        "PATCH",
        "/vendors/{vendor_id}",
        payees.patch_payee,
        "vendors:write",
        Spec.Y2025,
        "only the link to an accounting vendor and is_active; other keys are ignored",
    ),
    Operation(
        "GET",
        "/vendors/{vendor_id}/contacts",
        payee_details.list_contacts,
        "vendors:read",
        Spec.Y2025,
    ),
    Operation(
        "GET",
        "/vendors/{vendor_id}/contacts/{vendor_contact_id}",
        payee_details.get_contact,
        "vendors:read",
        Spec.Y2025,
    ),
    Operation(
        "GET",
        "/vendors/{vendor_id}/accounts",
        payee_details.list_accounts,
        "vendors:read",
        Spec.Y2025,
    ),
    Operation(
        "GET",
        "/vendors/{vendor_id}/accounts/{bank_account_id}",
        payee_details.get_account,
        "vendors:read",
        Spec.Y2025,
    ),
    Operation("GET", "/receipts", receipts.list_receipts, "receipts:read", Spec.Y2025),
    Operation("GET", "/receipts/{receipt_id}", receipts.get_receipt, "receipts:read", Spec.Y2025),
    Operation("GET", "/webhooks", webhooks.list_webhooks, None, Spec.Y2026, _EVENTS_NOTE),
    Operation("POST", "/webhooks", webhooks.create_webhook, None, Spec.Y2026, _EVENTS_NOTE),
    Operation(
        "POST", "/webhooks/mock-webhook-event", webhooks.mock_event, None, Spec.Y2026, _EVENTS_NOTE
    ),
    Operation("GET", "/webhooks/{webhook_id}", webhooks.get_webhook, None, Spec.Y2026),
    Operation(
        "DELETE",
        "/webhooks/{webhook_id}",
        webhooks.delete_webhook,
        None,
        Spec.Y2026,
        "204 has no body, though the schema lists an empty object",
    ),
    Operation("POST", "/webhooks/{webhook_id}/verify", webhooks.verify_webhook, None, Spec.Y2026),
)


class Found(NamedTuple):
    operation: Operation
    params: dict[str, str]


class Routes:
    """Finds the operation of a request."""

    def __init__(self) -> None:
        self._routes = [
            (operation, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.path)))
            for operation in OPERATIONS
        ]

    def find(self, method: str, path: str) -> Found | None:
        """The operation, or None if the path has none of this method."""
        inside = path.removeprefix(PREFIX)
        for operation, pattern in self._routes:
            if operation.method == method and (match := pattern.fullmatch(inside)):
                return Found(operation, match.groupdict())
        return None

    def has_path(self, path: str) -> bool:
        inside = path.removeprefix(PREFIX)
        return any(pattern.fullmatch(inside) for _, pattern in self._routes)
