"""Switch Ramp's sync button on for a customer, if the customer's ERP is fast enough (R-82, R-85).

Whoever presses it has a right to an answer within five minutes. A button that mostly ends in "there
was no time left" is worse than none.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connections import services
from connections.models import Connection, Switch, WebhookSubscription
from connections.ramp.client import RampClient
from connections.services import NotVerified
from connections.upkeep import switches
from syncing import sync_requests
from syncing.models import Schedule

SLOWEST_OF_A_HUNDRED = 1.5
"""How much longer than by its average speed an ERP takes in one of a hundred times."""
SWITCHES = {object_type: Switch.Name(name) for name, object_type in switches.BUTTONS.items()}
"""The switch of Ramp's behind the button of each type."""
_NOUNS = {"transaction": "transactions", "reimbursement": "reimbursements"}


class NotAdmitted(Exception):
    """The button would promise what the ERP cannot keep. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a customer's sync button would be answered in time, and why."""

    is_admitted: bool
    words: str
    rows: int = 0
    """The batch that 95 of 100 presses stay below; 0 if nothing is known of them."""
    seconds: float | None = None
    """What such a batch takes in all but one of a hundred cases; None if not measured yet."""


def may_enable_buttons(
    connection: Connection, object_types: Collection[str]
) -> Mapping[str, Verdict]:
    """Whether a usual press, and a large one, fits into the time that Ramp gives (R-82).

    By the speed measured while documents were posted, and by what was asked for at a time before:
    at earlier presses, or else per day. Two statements.
    """
    speeds = Schedule.objects.filter(pk=connection.pk).values_list("posts_per_second", flat=True)
    speed = speeds.first()
    sizes = sync_requests.usual_sizes(connection.pk, object_types) if speed else {}
    return {
        object_type: _verdict(connection, _NOUNS[object_type], speed, sizes.get(object_type, ()))
        for object_type in object_types
    }


def may_enable_button(connection: Connection, object_type: str) -> Verdict:
    """The same for one of them."""
    return may_enable_buttons(connection, [object_type])[object_type]


def _verdict(
    connection: Connection, noun: str, speed: float | None, sizes: Sequence[int]
) -> Verdict:
    if not speed:
        return Verdict(
            is_admitted=False,
            words=f"How fast {connection.erp_name} takes documents is not measured yet."
            f" Let some {noun} go through first, then try again.",
        )
    size = _percentile(sizes, 95)
    seconds = sync_requests.START_SECONDS + SLOWEST_OF_A_HUNDRED * size / speed
    measured = f"{connection.erp_name} takes {speed:.1f} documents a second"
    takes = f"so {size} {noun}, a large press, take up to {_span(seconds)}"
    if seconds > sync_requests.STOP_SECONDS:
        words = (
            f"{measured}, {takes}. Ramp waits five minutes and nothing may start after four."
            " Webhooks bring them within seconds anyway; leave the button off."
        )
        return Verdict(is_admitted=False, words=words, rows=size, seconds=seconds)
    words = f"{measured}, {takes}. That fits."
    return Verdict(is_admitted=True, words=words, rows=size, seconds=seconds)


def set_sync_button(
    connection: Connection, ramp: RampClient, object_type: str, *, on: bool, actor: str = ""
) -> Verdict | None:
    """Switch the button on or off in Ramp, and read it back. Returns what spoke for it, if on.

    The webhook comes first: a press that nobody hears is failed by Ramp after five minutes (R-85).

    :raises NotAdmitted: if the ERP is too slow for it
    :raises NotVerified: if the webhook is not active yet, or Ramp does not show the new setting
    :raises RampError: if Ramp cannot be asked now
    """
    verdict = None
    if on:
        verdict = may_enable_button(connection, object_type)
        if not verdict.is_admitted:
            raise NotAdmitted(verdict.words)
        _subscribe(connection, ramp, object_type)
    switches.set_switch(connection, ramp, SWITCHES[object_type], on=on, actor=actor)
    connection.refresh_from_db(fields=["button_types"])
    return verdict


def _subscribe(connection: Connection, ramp: RampClient, object_type: str) -> None:
    subscription = services.ensure_subscribed(connection, ramp)
    services.answer_challenge(subscription, ramp)
    event = f"{object_type}s.sync_requested"
    if subscription.status != WebhookSubscription.Status.ACTIVE:
        raise NotVerified("Ramp has not verified the webhook yet. Try again in a minute.")
    if event not in subscription.event_types:
        raise NotVerified(f"The webhook does not carry {event}. Renew it, then try again.")


def _percentile(sizes: Sequence[int], percent: int) -> int:
    """The nearest-rank percentile of numbers in rising order; 0 of none."""
    return sizes[math.ceil(len(sizes) * percent / 100) - 1] if sizes else 0


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
