"""The bodies behind an item, fit to be seen: what identifies a person or an account is hidden."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rampbridge.lib.redaction import redacted
from rampbridge.lib.template_tags import pretty_json
from syncing.models import SyncItem


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
