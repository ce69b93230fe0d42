"""Whom to write to at one of Ramp's own vendors, and how it is paid; never an account's number."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from connections.ramp_simulator.bill_records import Payee
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.payees import requested
from connections.ramp_simulator.records import Record
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

_NOT_IN_ADDRESSES = re.compile(r"[^a-z0-9]+")


@dataclass(slots=True, kw_only=True)
class _Contact(Record):
    email: str


@dataclass(slots=True, kw_only=True)
class _Account(Record):
    nickname: str
    currency: str
    method: str


def list_contacts(world: World, call: Call) -> Reply:
    contact = _contact(requested(world, call))
    return page(call, [contact], find=lambda _: contact, render=_contact_json)


def get_contact(world: World, call: Call) -> Reply:
    contact = _contact(requested(world, call))
    if contact.id != call.params["vendor_contact_id"]:
        raise not_found("Vendor contact", call.params["vendor_contact_id"])
    return Reply(payload=_contact_json(contact))


def list_accounts(world: World, call: Call) -> Reply:
    account = _account(world, requested(world, call))
    return page(call, [account], find=lambda _: account, render=_account_json)


def get_account(world: World, call: Call) -> Reply:
    account = _account(world, requested(world, call))
    if account.id != call.params["bank_account_id"]:
        raise not_found("Vendor bank account", call.params["bank_account_id"])
    return Reply(payload=_account_json(account))


def email_of(payee: Payee) -> str:
    """Its own if somebody gave it one, else one at a host of its name."""
    plain = unicodedata.normalize("NFKD", payee.name).encode("ascii", "ignore").decode().lower()
    host = _NOT_IN_ADDRESSES.sub("-", plain).strip("-") or payee.id[:8]
    return payee.email or f"billing@{host}.example"


def _contact(payee: Payee) -> _Contact:
    return _Contact(
        id=payee.contact_id, seq=payee.seq, business=payee.business, email=email_of(payee)
    )


def _account(world: World, payee: Payee) -> _Account:
    return _Account(
        id=str(uuid5(NAMESPACE_URL, f"{payee.id}/account")),
        seq=payee.seq,
        business=payee.business,
        nickname=f"{payee.name[:40]} main",
        currency=world.business(payee.business).currency,
        method="ACH" if payee.country == "US" else "INTERNATIONAL",
    )


def _contact_json(contact: _Contact) -> dict[str, Any]:
    return {
        "id": contact.id,
        "email": contact.email,
        "first_name": "Accounts",
        "last_name": "Receivable",
        "phone": None,
        "is_default": True,
    }


def _account_json(account: _Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "account_nickname": account.nickname,
        "currency": account.currency,
        "payment_method": account.method,
        "is_default": True,
    }
