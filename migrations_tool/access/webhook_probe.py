"""Prove that Ramp reaches us: it rings at our address with a challenge, and we answer it.

This is the one check that leaves something in Ramp: our webhook, which is needed later anyway and
changes nothing of the customer's. Until the switch nothing is read because it rings.
"""

from datetime import timedelta

from django.conf import settings

from connections import services
from connections.models import WebhookSubscription
from connections.ramp.errors import InvalidRequest
from migrations_tool.work import Work
from syncing import webhook_health

CODE = "access.webhook"
GOOD_FOR = timedelta(days=30)


def probe(work: Work) -> None:
    """Ask Ramp to ring us at the address where we are now, if it does not yet."""
    try:
        current = _subscribed(work)
    except InvalidRequest as refusal:
        _forget_unheard(work)
        work.evidence(
            CODE,
            f"Ramp does not take {settings.WEBHOOK_BASE_URL} as an address: {refusal.message}",
            is_good=False,
            result={"fix": "It must be a public address with TLS. Set WEBHOOK_BASE_URL to one."},
        )
        return
    work.trace_ids.append(work.ramp.last_trace_id)
    if current.status != WebhookSubscription.Status.ACTIVE:
        work.evidence(
            CODE,
            f"Ramp has not reached {current.base_url} yet: its challenge has not come.",
            is_good=False,
            result={
                "fix": "It comes within five minutes. Check again then; if it is still missing,"
                " open the address to the internet. Without it spend arrives with the next poll."
            },
        )
    elif webhook_health.habits_of(work.connection).is_missing_events:
        work.evidence(
            CODE,
            f"Ramp reached {current.base_url} once, but events do not arrive any more.",
            is_good=False,
            result={"fix": "See under Webhooks what was refused, and whether a firewall is new."},
        )
    else:
        work.evidence(
            CODE,
            f"Ramp reaches us at {current.base_url}: its challenge was answered.",
            is_good=True,
            result={"events": list(current.event_types)},
            good_for=GOOD_FOR,
        )


def _subscribed(work: Work) -> WebhookSubscription:
    work.keep()
    current = services.ensure_subscribed(work.connection, work.ramp)
    work.keep()
    services.answer_challenge(current, work.ramp)
    return current


def _forget_unheard(work: Work) -> None:
    """What Ramp has refused has no id there, and nobody will ever hear of it again."""
    unheard = work.connection.subscriptions.filter(
        ramp_webhook_id=None, status=WebhookSubscription.Status.PENDING
    )
    unheard.update(status=WebhookSubscription.Status.REMOVED)
