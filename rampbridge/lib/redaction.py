"""What identifies a person or an account is hidden before anything is shown."""

import json
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "\N{BULLET}" * 6

_PRIVATE = (
    r"email|phone|address|tax_?id|ssn|iban|account_number|routing|card_id|employee_id|user_id"
    r"|secret|token|password|authorization|invoice_urls|receipts"
)
_PRIVATE_NAME = re.compile(_PRIVATE, re.IGNORECASE)
_IN_TEXT = (
    (re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+"), HIDDEN),
    (re.compile(r"\b(Bearer|Basic)\s+[\w+/=.~-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (
        re.compile(
            rf"([\w-]*(?:{_PRIVATE})[\w-]*[\"']?\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}}]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b"), HIDDEN),
    (re.compile(r"(?<![\w-])\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}(?![\w-])"), HIDDEN),
)
"""Addresses, credentials, what a private name is followed by, IBANs, and numbers of cards."""


def redacted(value: Any) -> Any:
    """The same structure with private values hidden, whatever depth they stand at."""
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if _PRIVATE_NAME.search(str(key)) and inner else redacted(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [redacted(inner) for inner in value]
    return value


def redacted_text(text: str) -> str:
    """A message of Ramp's or an ERP's with what is private in it hidden. JSON stays JSON."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = None
    if isinstance(parsed, dict | list):
        return json.dumps(redacted(parsed), ensure_ascii=False)
    for pattern, instead in _IN_TEXT:
        text = pattern.sub(instead, text)
    return text
