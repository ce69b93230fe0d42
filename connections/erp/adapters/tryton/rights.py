"""What Tryton lets our user do: its own table of access, for the groups that the user is in."""

from __future__ import annotations

from connections.erp.adapters.tryton.models import Records
from connections.erp.adapters.tryton.vendors import PARTY
from connections.erp.rights import Rights

_NEEDED = {
    "post journal entries": ("account.move", "create"),
    "write their lines": ("account.move.line", "create"),
    "enter bills": ("account.invoice", "create"),
    "pay bills": ("account.invoice", "write"),
    "create vendors": (PARTY, "create"),
    "attach files": ("ir.attachment", "create"),
}


def rights(records: Records) -> Rights:
    """What posting takes, each with Tryton's answer. Two calls, and nothing is written."""
    models = sorted({model for model, _ in _NEEDED.values()})
    access = records.rpc.call("model.ir.model.access.get_access", models)
    preferences = records.rpc.call("model.res.user.get_preferences")
    # A user that acts for an employee is a person's; one for programs has none.
    is_person = bool(preferences.get("employee"))
    return Rights(
        login=records.rpc.account.login,
        may={what: bool(access[model][how]) for what, (model, how) in _NEEDED.items()},
        person=str(preferences.get("name") or records.rpc.account.login) if is_person else "",
    )
