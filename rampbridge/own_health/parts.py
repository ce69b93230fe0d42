"""From facts to lights: how each of our parts is, in words, and what to do about it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from connections.egress import LIMITS
from rampbridge.models import Process
from rampbridge.own_health.broker import BrokerFacts
from rampbridge.own_health.facts import DatabaseFacts, Facts, Running

SILENT = timedelta(seconds=30)
LOST = timedelta(minutes=10)
"""A process that was not seen for so long has ended, whoever ended it."""
ROUND_LATE = timedelta(seconds=60)
REPORT_LATE = timedelta(minutes=10)
POLL_LATE, POLL_VERY_LATE = timedelta(hours=4), timedelta(hours=8)
EVENT_LATE = timedelta(minutes=15)
SAMPLE_LATE = timedelta(minutes=5)
RECOUNT_LATE = timedelta(days=1)
LONG_TRANSACTION = timedelta(minutes=10)
REPLICA_LATE = timedelta(seconds=30)
MANY_CONNECTIONS = 0.85
QUEUES = frozenset({"button", "export", "chart"})


class Light(IntEnum):
    """How a part is; the higher, the sooner to look."""

    WELL = 0
    UNKNOWN = 1
    WATCH = 2
    ILL = 3


@dataclass(frozen=True, slots=True)
class LightLook:
    """A light as it is shown: a word and an icon, not only a colour."""

    label: str
    tone: str
    icon: str


LOOKS = {
    Light.WELL: LightLook("Well", "done", "circle-check"),
    Light.UNKNOWN: LightLook("Not known yet", "neutral", "circle-dashed"),
    Light.WATCH: LightLook("Look at it", "customer", "triangle-alert"),
    Light.ILL: LightLook("In trouble", "person", "octagon-alert"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known of a part: text, or a moment."""

    name: str
    text: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One of our parts."""

    key: str
    name: str
    light: Light
    says: str
    """What we see."""
    do: str = ""
    """What to do, where there is something to do."""
    facts: Sequence[Fact] = ()

    @property
    def look(self) -> LightLook:
        return LOOKS[self.light]


Finding = tuple[Light, str, str]
"""A light, what we see, what to do."""


def parts(
    facts: Facts, database: DatabaseFacts, broker: BrokerFacts, *, release: str
) -> list[Part]:
    """All of them, in the order in which work runs through them."""
    return [
        _workers(facts),
        _clock(facts),
        _broker(broker),
        _database(database),
        _ramp_budget(facts),
        _webhooks(facts),
        _polls(facts),
        _reports(facts),
        _counting(facts),
        _versions(facts, release),
    ]


def worst(found: Iterable[Part]) -> Light:
    return max((part.light for part in found), default=Light.UNKNOWN)


def _part(key: str, name: str, finding: Finding, *facts: Fact) -> Part:
    light, says, do = finding
    return Part(key, name, light, says, do, [fact for fact in facts if fact.text or fact.at])


def _late(now: datetime, at: datetime | None, limit: timedelta) -> bool:
    return at is not None and now - at > limit


def living(facts: Facts, kind: Process.Kind) -> list[Running]:
    """The processes of a kind that were seen lately."""
    limit = SILENT if kind == Process.Kind.WORKER else LOST
    return [one for one in facts.of(kind) if not _late(facts.now, one.seen_at, limit)]


def _workers(facts: Facts) -> Part:
    running = living(facts, Process.Kind.WORKER)
    unserved = QUEUES - {queue for one in running for queue in one.queues}
    silent = [
        one
        for one in facts.of(Process.Kind.WORKER)
        if _late(facts.now, one.seen_at, SILENT) and not _late(facts.now, one.seen_at, LOST)
    ]
    last = max((one.seen_at for one in facts.of(Process.Kind.WORKER)), default=None)
    return _part(
        "workers",
        "Workers",
        _on_workers(facts, running, unserved, silent),
        Fact("At work", str(len(running))),
        Fact("Last progress", at=last),
        Fact("Due and not taken up", _up_to(facts.waiting)),
    )


def _on_workers(
    facts: Facts, running: Sequence[Running], unserved: frozenset[str], silent: Sequence[Running]
) -> Finding:
    if not running:
        return (
            Light.ILL,
            "No worker has finished anything for half a minute.",
            "Restart the workers: it is safe, whatever they were doing. No work is lost.",
        )
    if unserved:
        names = ", ".join(sorted(unserved))
        return (
            Light.ILL,
            f"No worker takes tasks from: {names}.",
            f"Start one with -Q {names.replace(' ', '')}.",
        )
    if silent:
        return (
            Light.WATCH,
            f"{len(silent)} stopped making progress and did not say goodbye.",
            "If nobody has ended it on purpose, restart it. The others have taken over its work.",
        )
    if facts.waiting >= 1000:
        return (
            Light.WATCH,
            "They get on, and more is due than they take up.",
            "See page Backlog for what limits it. Add workers if it is many customers.",
        )
    return Light.WELL, "They get on with their work.", ""


def _clock(facts: Facts) -> Part:
    finding: Finding
    if facts.last_round_at is None:
        finding = (Light.UNKNOWN, "It has never rung.", "Start one: celery -A rampbridge beat.")
    elif _late(facts.now, facts.last_round_at, ROUND_LATE):
        finding = (
            Light.ILL,
            "Nothing has rung for a minute, or nobody follows.",
            "If the workers are well, start a celery beat. Nothing is lost meanwhile.",
        )
    else:
        finding = (Light.WELL, "It rings, and workers follow.", "")
    return _part("clock", "Clock", finding, Fact("Last round", at=facts.last_round_at))


def _broker(broker: BrokerFacts) -> Part:
    finding: Finding = (Light.WELL, "It answers.", "")
    if not broker.answers:
        finding = (
            Light.ILL,
            "It does not answer.",
            "Start Redis or Valkey again. It holds no work; doorbells are rung again.",
        )
    elif max(broker.waiting.values(), default=0) > 5000:
        finding = (
            Light.WATCH,
            "Many doorbells wait in it.",
            "Workers are too few or stuck. Doorbells are worth nothing by themselves: see Workers.",
        )
    waiting = ", ".join(f"{name} {count:,}" for name, count in broker.waiting.items())
    return _part("broker", "Broker", finding, Fact("Doorbells that wait", waiting))


def _database(database: DatabaseFacts) -> Part:
    full = database.connections / max(database.most_connections, 1)
    finding: Finding = (Light.WELL, "It answers, and nothing holds it up.", "")
    if database.longest_transaction > LONG_TRANSACTION.total_seconds():
        finding = (
            Light.WATCH,
            "A transaction has been open for over ten minutes, so dead rows pile up.",
            "Find it in pg_stat_activity by xact_start, and end it if nobody needs it.",
        )
    elif full > MANY_CONNECTIONS:
        finding = (
            Light.WATCH,
            "Nearly all of its connections are taken.",
            "Raise max_connections, or run fewer threads: each takes one.",
        )
    elif database.swollen:
        finding = (
            Light.WATCH,
            f"Dead rows are not cleaned away: {', '.join(sorted(database.swollen))}.",
            "See whether autovacuum runs; VACUUM these tables by hand.",
        )
    elif database.replica_lag > REPLICA_LATE.total_seconds():
        finding = (
            Light.WATCH,
            "A replica is behind: what is committed now could be lost with the server.",
            "See the replica's disk and network. After a failover items are looked up, not resent.",
        )
    replicas = (
        f"{database.replicas}, {database.replica_lag:.1f} s behind" if database.replicas else ""
    )
    return _part(
        "database",
        "Database",
        finding,
        Fact("PostgreSQL", database.version.split(" ")[0]),
        Fact("Size", _bytes(database.size)),
        Fact("Connections", f"{database.connections} of {database.most_connections}"),
        Fact("Oldest transaction", f"{database.longest_transaction:.0f} s"),
        Fact("Replicas", replicas or "none that we may see"),
    )


def _ramp_budget(facts: Facts) -> Part:
    frozen = [one for one in facts.budgets if one.is_frozen]
    slow = [one for one in facts.budgets if one.rate < LIMITS.rate * 0.75]
    finding: Finding = (Light.WELL, "There is leave for requests.", "")
    if not facts.budgets:
        finding = (Light.UNKNOWN, "Nothing has been sent to Ramp yet.", "")
    elif frozen:
        finding = (
            Light.WATCH,
            "Ramp has said: too many requests. None is sent for some seconds.",
            "If it comes again, somebody else calls Ramp from this address; see RAMP_EGRESS.",
        )
    elif slow:
        finding = (
            Light.WATCH,
            "Ramp has refused requests lately, so fewer are sent. It recovers by itself.",
            "If it comes again, somebody else calls Ramp from this address; see RAMP_EGRESS.",
        )
    told = [
        Fact(one.egress, f"{one.tokens:.0f} of {LIMITS.burst:.0f} now, {one.rate:.1f} per second")
        for one in facts.budgets
    ]
    return _part("ramp", "Ramp's budget", finding, *told)


def _webhooks(facts: Facts) -> Part:
    finding: Finding = (Light.WELL, "What came was kept and followed.", "")
    if facts.last_event_at is None:
        finding = (Light.UNKNOWN, "None has come yet. Polls bring everything.", "")
    elif _late(facts.now, facts.oldest_unhandled_at, EVENT_LATE):
        finding = (
            Light.WATCH,
            "Some have waited for over a quarter of an hour for somebody to follow them.",
            "See Workers, and page Webhooks, only waiting, for whose they are.",
        )
    elif facts.refused_events:
        finding = (
            Light.WATCH,
            "Some deliveries were not signed by Ramp.",
            "Page Webhooks, only refused, says for whom. A changed secret mends itself; deliveries"
            " for many customers are an attack: block the sender.",
        )
    return _part(
        "webhooks",
        "Webhook receiver",
        finding,
        Fact("Last event", at=facts.last_event_at),
        Fact("Not followed yet", _up_to(facts.unhandled_events)),
        Fact("Refused, 24 h", f"{facts.refused_events:,}"),
    )


def _polls(facts: Facts) -> Part:
    finding: Finding = (Light.WELL, "Every customer is asked for in time.", "")
    if facts.next_poll_at is None:
        finding = (Light.UNKNOWN, "No customer is live yet.", "")
    elif _late(facts.now, facts.next_poll_at, POLL_VERY_LATE):
        finding = (Light.ILL, "A poll is over eight hours late.", "See Workers and Ramp's budget.")
    elif _late(facts.now, facts.next_poll_at, POLL_LATE):
        finding = (Light.WATCH, "A poll is over four hours late.", "See Workers and Ramp's budget.")
    return _part("polls", "Polls", finding, Fact("The one most due", at=facts.next_poll_at))


def _reports(facts: Facts) -> Part:
    finding: Finding = (Light.WELL, "Ramp hears of everything that is booked.", "")
    if _late(facts.now, facts.oldest_report_at, REPORT_LATE):
        finding = (
            Light.ILL,
            "A report has waited for Ramp's answer for over ten minutes.",
            "Page Runs, Reports, has what Ramp says. The same report is sent until it is taken.",
        )
    return _part(
        "reports",
        "Reports to Ramp",
        finding,
        Fact("Not answered yet", f"{facts.open_reports:,}"),
        Fact("The oldest of them", at=facts.oldest_report_at),
    )


def _counting(facts: Facts) -> Part:
    finding: Finding = (Light.WELL, "Sums agree with the items they are sums of.", "")
    if facts.sampled_at is None:
        finding = (Light.UNKNOWN, "Nothing has been counted yet.", "It begins within a minute.")
    elif facts.findings:
        finding = (
            Light.WATCH,
            f"{facts.findings:,} sums were wrong and were put right within a day.",
            "Tell the developers: the lines of the recount say which, and by how much.",
        )
    elif _late(facts.now, facts.sampled_at, SAMPLE_LATE):
        finding = (
            Light.WATCH,
            "The backlog has not been sampled for five minutes.",
            "See Clock and Workers. Its pages show what they knew last.",
        )
    elif _late(facts.now, facts.recounted_at, RECOUNT_LATE):
        finding = (Light.WATCH, "Nothing has been recounted for a day.", "See Clock and Workers.")
    return _part(
        "counting",
        "Backlog and recount",
        finding,
        Fact("Last sample", at=facts.sampled_at),
        Fact("Last recount", at=facts.recounted_at),
        Fact("Wrong sums, 24 h", f"{facts.findings:,}"),
    )


def _versions(facts: Facts, release: str) -> Part:
    running = [*living(facts, Process.Kind.WORKER), *living(facts, Process.Kind.WEB)]
    releases = sorted({one.release for one in running} | {release})
    finding: Finding = (Light.WELL, "All processes run the same version.", "")
    if len(releases) > 1:
        finding = (
            Light.WATCH,
            "Several versions run side by side.",
            "During a release that is as it should be. Otherwise restart those that are behind.",
        )
    return _part("versions", "Versions", finding, Fact("Running", ", ".join(releases)))


def _up_to(number: int) -> str:
    return "1,000 or more" if number >= 1000 else f"{number:,}"


def _bytes(size: int) -> str:
    units: Sequence[tuple[int, str]] = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"))
    return next((f"{size / of:.1f} {unit}" for of, unit in units if size >= of), f"{size:,} bytes")
