"""Kinds that are about our own program or about a whole ERP."""

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
    span,
)

WORKER, STILL, ERP, RECOUNT = "worker_silent", "no_progress", "erp_broken", "recount"
RAMP_FAILS = "ramp_fails"
FEW_REQUESTS = 20
"""Of fewer requests in ten minutes no share is worked out."""
_OVERVIEW = Link("overview")


def _worker(reading: Reading) -> Words:
    waits = int(reading.facts.get("waits", 0))
    return Words(
        f"No worker has done anything for {span(reading.value)}.",
        f"Nothing is posted and nothing is reported meanwhile; {counted(waits, 'item')}"
        f" wait{'s' if waits == 1 else ''}."
        if waits
        else "Nothing that becomes ready is posted or reported meanwhile.",
        "Restart the worker processes; that is safe at any time. If they run, look into their log"
        " and whether they reach the broker and the database.",
        _OVERVIEW,
    )


def _still(reading: Reading) -> Words:
    return Words(
        f"Nothing has moved for {span(reading.value * 60)}, although items are due.",
        "The workers live and still post nothing: customers' spend piles up.",
        "Restart the worker processes; that is safe. If nothing moves after that, look whether the"
        " database holds a lock, and into the workers' log.",
        Link("items", query="state=queued"),
    )


def _erp(reading: Reading) -> Words:
    stopped = int(reading.facts.get("stopped", 0))
    failed = int(reading.facts.get("failed", 0))
    what = " and ".join(
        part
        for part, number in (
            (f"{counted(stopped, 'customer')} cannot post", stopped),
            (f"{counted(failed, 'item')} failed in five minutes", failed),
        )
        if number
    )
    incident = reading.facts.get("incident")
    return Words(
        f"{reading.name} is failing: {what}.",
        "It is many at once, so it is the ERP or we, and no single customer. Their items wait and"
        " nothing is lost.",
        f"Ask whoever runs {reading.name} whether it is down. Exports pause and resume by"
        " themselves; there is nothing to retry by hand."
        if stopped
        else f"Look at the newest error of {reading.name}: if it came with our last release, go"
        " back to the one before.",
        Link("incident", {"pk": str(incident)}) if incident else Link("errors"),
    )


def _share_is_met(reading: Reading, thresholds: Thresholds) -> bool:
    return float(reading.facts.get("share", 100)) >= float(thresholds.get("share", 0))


def _ramp(reading: Reading) -> Words:
    failed, asked = int(reading.facts.get("failed", 0)), int(reading.facts.get("all", 0))
    return Words(
        f"Ramp fails: {counted(failed, 'request')} of {asked:,} in ten minutes got an error of"
        " Ramp's own, or no answer.",
        "Nothing is lost: polls and reports are tried again. Until then spend comes late into the"
        " ERPs, and Ramp shows as unsynced what is booked.",
        f"Look at Ramp's status page. Most failed at {reading.facts.get('endpoint')}: if that is"
        " the only one, write to Ramp with a trace id of one of our runs.",
        Link("runs"),
    )


def _recount(reading: Reading) -> Words:
    return Words(
        f"{counted(round(reading.value), 'line')} of our roll-ups did not agree with the items.",
        "Counts on pages were wrong until they were put right, which they are by now.",
        "Look which ones, on the page of our own health, and find what wrote items past the"
        " triggers.",
        _OVERVIEW,
    )


FLEET_KINDS = (
    Kind(
        key=WORKER,
        label="Worker is silent",
        about="Time since any worker last finished something.",
        subject=Subject.FLEET,
        unit=Unit.SECONDS,
        settings=levels(Unit.SECONDS, 60, 30, least=10, most=86_400),
        words=_worker,
        calm=lambda _name: "Workers finish their work again.",
        many="",
        listed_at=_OVERVIEW,
        keep_from=30,
    ),
    Kind(
        key=STILL,
        label="Nothing moves",
        about="Time in which items were due and not a single one of any customer moved.",
        subject=Subject.FLEET,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 5, 1, most=10_000),
        words=_still,
        calm=lambda _name: "Items move again.",
        many="",
        listed_at=_OVERVIEW,
        keep_from=2,
        covered_by=(WORKER,),
    ),
    Kind(
        key=ERP,
        label="ERP is broken",
        about="Failures a minute at one ERP: items that fail, and customers who are tried once a"
        " minute and get no answer.",
        subject=Subject.ERP,
        unit=Unit.PER_MINUTE,
        settings=(
            *levels(Unit.PER_MINUTE, 5, 1, most=10**6),
            Setting(
                "share",
                "And at least so many of all attempts fail (%)",
                20,
                0,
                100,
                "A busy ERP always has some failures; a broken one has little else.",
            ),
        ),
        words=_erp,
        calm=lambda name: f"{name} books again.",
        many="",
        listed_at=Link("errors"),
        keep_from=1,
        covered_by=(WORKER,),
        fits=_share_is_met,
    ),
    Kind(
        key=RAMP_FAILS,
        label="Ramp fails",
        about="Of all requests to Ramp within ten minutes, the share that got an error of Ramp's"
        f" own or no answer. Of fewer than {FEW_REQUESTS} none is worked out.",
        subject=Subject.FLEET,
        unit=Unit.PERCENT,
        settings=levels(Unit.PERCENT, 5, 1, least=0, most=100),
        words=_ramp,
        calm=lambda _name: "Ramp answers again.",
        many="",
        listed_at=Link("runs"),
        keep_from=1,
    ),
    Kind(
        key=RECOUNT,
        label="Roll-ups are wrong",
        about="Lines of our roll-ups that the recount had to put right within a day.",
        subject=Subject.FLEET,
        unit=Unit.LINES,
        settings=levels(Unit.LINES, 1, 0, least=0, most=10**6),
        words=_recount,
        calm=lambda _name: "The recount has found nothing for a day.",
        many="",
        listed_at=_OVERVIEW,
        keep_from=1,
    ),
)
