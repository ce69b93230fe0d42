"""Changes that people make in the ERP all the time, made in a demo's Tryton by its own API."""

from collections.abc import Callable, Mapping
from typing import Any

from connections.erp.adapters.tryton.rpc import TrytonRpc

ACCOUNTS, DEPARTMENTS = "account.account", "analytic_account.account"
PARTIES, REPLACE, WARNINGS = "party.party", "wizard.party.replace", "res.user.warning"
LIKE = "6600"
NEW_ACCOUNTS = (("6710", "Training"), ("6720", "Conferences"), ("6730", "Recruiting"))
CLOSING = ("6999", "1.3.5")  # nothing of the demo is booked in the second, so Tryton lets it go
DEPARTMENT, NAMES = "ENG", ("Engineering", "Product engineering")
NEW_VENDORS = ("Northern Lights Printing", "Lakeside Catering", "Oak Street Couriers")
TWINS = (("ULINE Inc.", "Uline"), ("Federal Express Corp.", "FedEx"))
INACTIVE_TOO = {"active_test": False}


class NothingLeft(Exception):
    """All changes of that sort were made before. The message is fit to show."""


def new_account(rpc: TrytonRpc) -> str:
    """Open the next of a few expense accounts."""
    code, name = _first_unknown(rpc, ACCOUNTS, "code", NEW_ACCOUNTS)
    like = _one(rpc, ACCOUNTS, "code", LIKE, ["type", "parent", "company"])
    values = {field: like[field] for field in ("type", "parent", "company")}
    rpc.call(f"model.{ACCOUNTS}.create", [{**values, "code": code, "name": name}], write=True)
    return f"Account {code} {name} is new"


def close_account(rpc: TrytonRpc) -> str:
    """Close the next of two accounts that take postings."""
    for code in CLOSING:
        account = _one(rpc, ACCOUNTS, "code", code, ["name", "closed"])
        if not account["closed"]:
            rpc.call(f"model.{ACCOUNTS}.write", [account["id"]], {"closed": True}, write=True)
            return f"Account {code} {account['name']} is closed"
    raise NothingLeft("All accounts that can be closed for this are closed.")


def rename_department(rpc: TrytonRpc) -> str:
    """Give the engineers' department its other name."""
    department = _one(rpc, DEPARTMENTS, "code", DEPARTMENT, ["name"])
    before = department["name"]
    after = NAMES[1] if before == NAMES[0] else NAMES[0]
    rpc.call(f"model.{DEPARTMENTS}.write", [department["id"]], {"name": after}, write=True)
    return f"Department {DEPARTMENT} {before} is now called {after}"


def new_vendor(rpc: TrytonRpc) -> str:
    """Enter the next of a few vendors."""
    (name,) = _first_unknown(rpc, PARTIES, "name", [(name,) for name in NEW_VENDORS])
    rpc.call(
        f"model.{PARTIES}.create", [{"name": name, "addresses": [["create", [{}]]]}], write=True
    )
    return f"Vendor {name} is new"


def merge_vendors(rpc: TrytonRpc) -> str:
    """Replace the next vendor that was entered twice by its twin, with Tryton's own wizard."""
    for twin, heir in TWINS:
        source = _one(rpc, PARTIES, "name", twin, ["active"])
        if source["active"]:
            replace_party(rpc, source["id"], _one(rpc, PARTIES, "name", heir, ["active"])["id"])
            return f"Vendor {twin} is merged into {heir}"
    raise NothingLeft("All vendors that were entered twice are merged.")


CHANGES: Mapping[str, Callable[[TrytonRpc], str]] = {
    "new-account": new_account,
    "rename-department": rename_department,
    "close-account": close_account,
    "new-vendor": new_vendor,
    "merge-vendors": merge_vendors,
}
"""Each returns what it did, as the beginning of a sentence.

:raises NothingLeft: if there is nothing more of its sort to do
:raises ErpError: if Tryton refuses
"""


def replace_party(rpc: TrytonRpc, source: int, heir: int) -> None:
    """Merge one party into another. The wizard warns of different names; here it is meant so."""
    warning = f"party.replace name {source} {heir}"
    rpc.call(f"model.{WARNINGS}.skip", warning, write=True)
    session, *_ = rpc.call(f"{REPLACE}.create", write=True)
    ask = {"ask": {"source": source, "destination": heir}}
    rpc.call(f"{REPLACE}.execute", session, ask, "replace", write=True)
    rpc.call(f"{REPLACE}.delete", session, write=True)


def _first_unknown(rpc: TrytonRpc, model: str, field: str, choices: Any) -> tuple[str, ...]:
    wanted = [choice[0] for choice in choices]
    rows = rpc.read(model, [[field, "in", wanted]], [field], context=INACTIVE_TOO)
    known = {row[field] for row in rows}
    for choice in choices:
        if choice[0] not in known:
            return tuple(choice)
    raise NothingLeft(f"{', '.join(wanted)}: all are there already.")


def _one(rpc: TrytonRpc, model: str, field: str, value: str, fields: list[str]) -> dict[str, Any]:
    rows = rpc.read(model, [[field, "=", value]], fields, context=INACTIVE_TOO)
    if not rows:
        raise NothingLeft(f"There is no {value} to change.")
    return rows[0]
