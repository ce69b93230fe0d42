"""The bodies behind an item, fit to be seen: what identifies a person or an account is hidden."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rampbridge.lib.template_tags import pretty_json
from syncing.models import SyncItem

HIDDEN = "\N{BULLET}" * 6

_PRIVATE = re.compile(
    r"(email|phone|address|tax_?id|ssn|iban|account_number|routing|card_id|employee_id|user_id"
    r"|secret|token|password|authorization|invoice_urls|receipts)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One body, as text."""

    title: str
    note: str
    text: str


def shown(item: SyncItem, *, reveal: bool = False) -> list[Shown]:
    """What Ramp said and what we sent, redacted before it is rendered.

    :param reveal: leave private values as they are. Whoever asks so leaves an audit line
    """
    told: Callable[[Any], Any] = _as_it_is if reveal else redacted
    payload = getattr(item, "payload", None)
    if payload is None:
        return []
    found = [Shown("What Ramp said", "the object as last read", pretty_json(told(payload.ramp)))]
    if payload.document:
        document = pretty_json(told(payload.document))
        found.append(Shown("What we send to the ERP", "frozen before the first try", document))
    return found


def _as_it_is(value: Any) -> Any:
    return value


def redacted(value: Any) -> Any:
    """The same structure with private values hidden, whatever depth they stand at."""
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _PRIVATE.search(str(key)) and inner else redacted(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return value
