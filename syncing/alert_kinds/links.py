"""Kinds that are about what connects us with a customer: access, webhooks, polls, the chart."""

from rampbridge.lib.counting import counted
from syncing.alert_kinds.base import (
    Kind,
    Link,
    Reading,
    Setting,
    Subject,
    Thresholds,
    Unit,
    Words,
    levels,
    of_customer,
    settings_of,
    span,
)
from syncing.alert_kinds.fleet import ERP, RAMP_FAILS, WORKER

SILENT, BLOCKED, RAMP = "erp_silent", "blocked", "ramp_silent"
GAP, REFUSED, EXPIRY, DRIFT, LAG = (
    "webhook_gap",
    "webhook_refused",
    "credential_expiry",
    "drift",
    "poll_lag",
)
_CUSTOMERS = Link("customers")


def _silent(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {reading.erp_name} has not answered for {span(reading.value * 60)}.",
        "Nothing of this customer is posted. Its items wait, and go on by themselves.",
        f"Ask the customer whether {reading.erp_name} is down or its address has changed.",
        of_customer(reading),
    )


def _blocked(reading: Reading) -> Words:
    title = str(reading.facts.get("title") or "Something stops this customer.")
    return Words(
        f"{reading.name} is stopped: {title}",
        f"Nothing has gone through for {span(reading.value * 60)}, and it does not pass by itself.",
        str(reading.facts.get("fix") or "Open the customer's settings: they say what is missing."),
        settings_of(reading),
    )


def _ramp(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: Ramp has not answered {reading.value:.0f} polls in a row.",
        "What becomes ready in Ramp is not found meanwhile.",
        "Open the customer's runs: they say what Ramp answers. If it is many customers, look at"
        " Ramp's own status page.",
        Link("customer_runs", {"slug": reading.slug}),
    )


def _gap(reading: Reading) -> Words:
    silent = span(float(reading.facts["silent_seconds"]))
    usual = span(float(reading.facts["usual_seconds"]))
    missed = counted(int(reading.facts["missed"]), "object")
    return Words(
        f"{reading.name}: no webhook event for {silent}; usually one every {usual}.",
        f"Ramp no longer rings: polls found {missed} that an event should have told of. Nothing is"
        " lost, but everything comes later.",
        "Renew the webhook in the customer's settings.",
        settings_of(reading),
    )


def _is_lively(reading: Reading, thresholds: Thresholds) -> bool:
    return float(reading.facts["per_day"]) >= float(thresholds.get("per_day", 0))


def _refused(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {reading.value:.0f} webhook deliveries with a wrong signature in ten"
        " minutes.",
        "Either somebody pretends to be Ramp, or the webhook's secret was changed.",
        "Look at the deliveries. If Ramp's secret was changed, renew the webhook in the customer's"
        " settings; if not, tell whoever looks after security.",
        Link("webhook_inbox", query=f"customer={reading.slug}&only=refused"),
    )


def _expiry(reading: Reading) -> Words:
    side = reading.erp_name if reading.facts.get("side") == "erp" else "Ramp"
    when = f"in {span(reading.value * 3600)}" if reading.value > 0 else "now"
    return Words(
        f"{reading.name}: the access to {side} ends {when}.",
        "From then on nothing of this customer is synced.",
        f"Get new credentials for {side} and enter them in the customer's settings. They are"
        " checked before the old ones go.",
        settings_of(reading),
    )


def _drift(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {counted(round(reading.value), 'record')} of the chart have differed from"
        " Ramp for long.",
        "People in Ramp choose accounts that are gone, or lack new ones: their spend will be held.",
        "Open the customer's chart: upload what differs, and decide about what was closed.",
        Link("chart", {"slug": reading.slug}),
    )


def _lag(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: a poll of Ramp is overdue by {span(reading.value * 60)}.",
        "The poll is what guarantees that nothing is missed.",
        "Have the customer polled now on its page. If it stays overdue, there are too few workers.",
        of_customer(reading),
    )


LINK_KINDS = (
    Kind(
        key=SILENT,
        label="ERP of a customer is silent",
        about="How long one customer's ERP has not answered.",
        subject=Subject.CUSTOMER,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 15, 0, most=525_600),
        words=_silent,
        calm=lambda name: f"The ERP of {name} answers again.",
        many="have an ERP that does not answer",
        listed_at=Link("customers", query="health=ERP+silent"),
        keep_from=5,
        covered_by=(WORKER, ERP),
    ),
    Kind(
        key=BLOCKED,
        label="Customer is stopped",
        about="How long something has stopped a customer that only a person can mend, such as"
        " access that was revoked.",
        subject=Subject.CUSTOMER,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 5, 0, most=525_600),
        words=_blocked,
        calm=lambda name: f"{name} is no longer stopped.",
        many="are stopped until somebody acts",
        listed_at=Link("customers", query="health=Blocked"),
        keep_from=1,
    ),
    Kind(
        key=RAMP,
        label="Ramp does not answer",
        about="Polls of a customer that failed one after the other.",
        subject=Subject.CUSTOMER,
        unit=Unit.POLLS,
        settings=levels(Unit.POLLS, 5, 0, least=0, most=10_000),
        words=_ramp,
        calm=lambda name: f"Ramp answers the polls of {name} again.",
        many="get no answer from Ramp",
        listed_at=Link("customers", query="health=Ramp+silent"),
        keep_from=2,
        covered_by=(WORKER, RAMP_FAILS),
    ),
    Kind(
        key=GAP,
        label="Webhook has stopped",
        about="How much longer than usual no event has come, while polls find what it should have"
        " told of.",
        subject=Subject.CUSTOMER,
        unit=Unit.TIMES,
        settings=(
            *levels(Unit.TIMES, 3, 1, most=100_000),
            Setting(
                "per_day",
                "Of customers with at least so many events a day",
                5,
                0,
                10**6,
                "Who hears from Ramp once a week has no usual gap.",
            ),
        ),
        words=_gap,
        calm=lambda name: f"Ramp rings for {name} again.",
        many="hear nothing from Ramp any more",
        listed_at=Link("webhook_inbox"),
        keep_from=2,
        covered_by=(WORKER,),
        fits=_is_lively,
    ),
    Kind(
        key=REFUSED,
        label="Webhooks with a wrong signature",
        about="Deliveries in ten minutes that were not signed as they should be.",
        subject=Subject.CUSTOMER,
        unit=Unit.DELIVERIES,
        settings=levels(Unit.DELIVERIES, 20, 2, most=10**9),
        words=_refused,
        calm=lambda name: f"No more wrong signatures for {name}.",
        many="get deliveries with wrong signatures",
        listed_at=Link("webhook_inbox", query="only=refused"),
        keep_from=5,
    ),
    Kind(
        key=EXPIRY,
        label="Access ends soon",
        about="How long the credentials of a customer are still good.",
        subject=Subject.CUSTOMER,
        unit=Unit.HOURS,
        settings=levels(Unit.HOURS, 48, 72, most=8760),
        words=_expiry,
        calm=lambda name: f"The credentials of {name} are good for long again.",
        many="have credentials that end soon",
        listed_at=_CUSTOMERS,
        keep_from=336,
        is_falling=True,
    ),
    Kind(
        key=DRIFT,
        label="Chart differs for long",
        about="Records of the chart that Ramp does not have alike; for how long is set below.",
        subject=Subject.CUSTOMER,
        unit=Unit.RECORDS,
        settings=levels(Unit.RECORDS, 1, 0, most=10**9),
        words=_drift,
        calm=lambda name: f"Ramp has the chart of {name} as the ERP has it.",
        many="have a chart that differs from Ramp's",
        listed_at=_CUSTOMERS,
        keep_from=1,
        covered_by=(WORKER,),
    ),
    Kind(
        key=LAG,
        label="Polls are overdue",
        about="How long the poll of a customer is overdue.",
        subject=Subject.CUSTOMER,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 60, 5, most=525_600),
        words=_lag,
        calm=lambda name: f"{name} is polled again.",
        many="are not polled in time",
        listed_at=_CUSTOMERS,
        keep_from=10,
        covered_by=(WORKER,),
    ),
)
