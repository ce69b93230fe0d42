"""Which light each part has, by what it has left behind."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rampbridge.models import Process
from rampbridge.own_health.broker import BrokerFacts
from rampbridge.own_health.facts import Budget, DatabaseFacts, Facts, Running
from rampbridge.own_health.parts import Light, Part, parts, worst
from rampbridge.own_health.promises import Promise, percent

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOON - timedelta(seconds=seconds)


WORKER = Running(
    "host:1", Process.Kind.WORKER, ["button", "export", "chart"], "1.0", ago(3600), ago(1), 12
)
WEB = Running("host:2", Process.Kind.WEB, [], "1.0", ago(3600), ago(60), 0)
WELL = Facts(
    now=NOON,
    last_round_at=ago(2),
    waiting=0,
    open_reports=0,
    oldest_report_at=None,
    next_poll_at=NOON + timedelta(minutes=3),
    last_event_at=ago(100),
    unhandled_events=0,
    oldest_unhandled_at=None,
    refused_events=0,
    sampled_at=ago(30),
    recounted_at=ago(60),
    findings=0,
    budgets=[Budget("default", 7, 18.5, is_frozen=False)],
    processes=[WORKER, WEB],
)
DATABASE = DatabaseFacts("16.2 (Debian)", 5 * 10**9, 20, 100, 0.5, 0, 0.0, {})
BROKER = BrokerFacts(answers=True, waiting={"export": 3})


def lights(
    facts: Facts = WELL, database: DatabaseFacts = DATABASE, broker: BrokerFacts = BROKER
) -> Mapping[str, Light]:
    """Of those that are not well."""
    return {part.key: part.light for part in found(facts, database, broker) if part.light}


def found(facts: Facts, database: DatabaseFacts, broker: BrokerFacts) -> list[Part]:
    return parts(facts, database, broker, release="1.0")


def test_all_is_well_where_everything_gets_on() -> None:
    assert lights() == {}
    assert worst(found(WELL, DATABASE, BROKER)) is Light.WELL


def test_a_worker_that_lives_and_finishes_nothing_is_ill() -> None:
    stuck = replace(WELL, processes=[replace(WORKER, seen_at=ago(45)), WEB])

    assert lights(stuck) == {"workers": Light.ILL}


def test_a_queue_that_nobody_takes_from_is_ill() -> None:
    without = replace(WELL, processes=[replace(WORKER, queues=["export", "chart"]), WEB])

    assert lights(without) == {"workers": Light.ILL}


def test_one_of_two_workers_that_went_silent_is_to_be_looked_at() -> None:
    silent = replace(WORKER, name="host:3", seen_at=ago(120))

    assert lights(replace(WELL, processes=[WORKER, silent, WEB])) == {"workers": Light.WATCH}
    gone = replace(silent, seen_at=ago(1200))
    assert lights(replace(WELL, processes=[WORKER, gone, WEB])) == {}


@pytest.mark.parametrize(
    ("change", "key", "light"),
    [
        ({"waiting": 1000}, "workers", Light.WATCH),
        ({"last_round_at": ago(90)}, "clock", Light.ILL),
        ({"last_round_at": None}, "clock", Light.UNKNOWN),
        ({"budgets": [Budget("default", 0, 9, is_frozen=True)]}, "ramp", Light.WATCH),
        ({"budgets": [Budget("default", 3, 9, is_frozen=False)]}, "ramp", Light.WATCH),
        ({"refused_events": 3}, "webhooks", Light.WATCH),
        ({"oldest_unhandled_at": ago(1000)}, "webhooks", Light.WATCH),
        ({"next_poll_at": ago(5 * 3600)}, "polls", Light.WATCH),
        ({"next_poll_at": ago(9 * 3600)}, "polls", Light.ILL),
        ({"oldest_report_at": ago(700)}, "reports", Light.ILL),
        ({"sampled_at": ago(400)}, "counting", Light.WATCH),
        ({"recounted_at": ago(90_000)}, "counting", Light.WATCH),
        ({"findings": 2}, "counting", Light.WATCH),
        (
            {"processes": [WORKER, replace(WEB, release="0.9")]},
            "versions",
            Light.WATCH,
        ),
    ],
)
def test_what_is_wrong_has_a_light_and_words_that_help(
    change: dict[str, object], key: str, light: Light
) -> None:
    ill = replace(WELL, **change)  # type: ignore[arg-type]

    assert lights(ill) == {key: light}
    (part,) = [part for part in found(ill, DATABASE, BROKER) if part.key == key]
    assert part.says.endswith(".")
    assert light is Light.UNKNOWN or part.do.endswith(".")


@pytest.mark.parametrize(
    "change",
    [
        {"longest_transaction": 700.0},
        {"connections": 90},
        {"swollen": {"syncing_syncitem": 2.0}},
        {"replicas": 1, "replica_lag": 40.0},
    ],
)
def test_a_database_that_is_held_up_is_to_be_looked_at(change: dict[str, object]) -> None:
    held_up = replace(DATABASE, **change)  # type: ignore[arg-type]

    assert lights(database=held_up) == {"database": Light.WATCH}


def test_a_broker_that_is_silent_is_ill_and_one_that_is_full_is_looked_at() -> None:
    assert lights(broker=BrokerFacts(answers=False)) == {"broker": Light.ILL}
    full = BrokerFacts(answers=True, waiting={"export": 6000})
    assert lights(broker=full) == {"broker": Light.WATCH}


class TestPromises:
    def test_what_is_left_runs_out_as_it_is_broken(self) -> None:
        kept = [Promise("x", 0.99, 60, 1000, within) for within in (1000, 995, 990, 980)]

        assert [one.left_text for one in kept] == ["100 %", "50 %", "nothing", "nothing"]
        assert [one.is_kept for one in kept] == [True, True, True, False]

    def test_nothing_yet_is_neither_kept_nor_broken(self) -> None:
        nothing = Promise("x", 0.99, 60, 0, 0)

        assert nothing.kept is None
        assert nothing.is_kept
        assert nothing.left_text == nothing.kept_text == ""

    def test_a_share_is_never_rounded_up(self) -> None:
        assert [percent(share) for share in (1.0, 0.99996, 0.999, 0.95)] == [
            *("100 %", "99.9 %", "99.9 %", "95 %")
        ]
