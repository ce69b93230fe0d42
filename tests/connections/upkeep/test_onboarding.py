"""The steps of a new customer follow from facts alone."""

from dataclasses import replace

import pytest

from connections.upkeep.onboarding import (
    Facts,
    Key,
    Party,
    Progress,
    Side,
    Status,
    Step,
    Wish,
    current,
    missing,
    steps,
)

WELL = Side(is_known=True, is_ok=True, about="Harbor Coffee")
NEW = Facts(
    erp_name="Tryton", label="rampbridge", has_ramp_credentials=True, has_erp_credentials=True
)
READY = replace(
    NEW,
    ramp=WELL,
    erp=WELL,
    has_seat=True,
    entities=1,
    entities_mapped=1,
    chart=Progress(read=40, uploaded=40, is_read=True),
    has_posting_accounts=True,
    webhook_is_active=True,
)


def step(facts: Facts, key: Key) -> Step:
    return next(one for one in steps(facts) if one.key is key)


def test_every_key_is_a_step_in_order() -> None:
    assert [one.key for one in steps(NEW)] == list(Key)


def test_at_first_nobody_was_asked_and_the_rest_waits() -> None:
    assert [one.status for one in steps(NEW)] == [
        Status.DONE, Status.TO_DO, Status.TO_DO, *[Status.LATER] * 7,
    ]  # fmt: skip
    assert step(NEW, Key.SEAT).words == "After “Ramp lets us in”."


def test_with_everything_in_place_it_may_go_live() -> None:
    assert missing(READY) == []
    assert step(READY, Key.LIVE).status is Status.TO_DO
    assert missing(NEW) == [
        "Ramp lets us in", "The ERP lets us in", "Connected in Ramp",
        "Entities are companies of the ERP", "Chart of accounts in Ramp", "Posting accounts",
    ]  # fmt: skip


def test_the_webhook_holds_nothing_up() -> None:
    assert missing(replace(READY, webhook_is_active=False)) == []


@pytest.mark.parametrize(
    ("changes", "key", "status", "words"),
    [
        ({"check": Wish(is_under_way=True)}, Key.RAMP, Status.WORKING, "Ramp is being asked."),
        ({"erp": Side(is_known=True, title="No.", fix="Do.")}, Key.ERP, Status.BLOCKED, "No."),
        (
            {"new_erp_credentials": Wish(is_refused=True, title="Wrong."), "erp": Side()},
            Key.ERP, Status.BLOCKED, "Wrong.",
        ),
        (
            {"has_seat": False, "seat": Wish(is_refused=True, title="Taken.")},
            Key.SEAT, Status.BLOCKED, "Taken.",
        ),
        ({"entities": 3, "entities_mapped": 1}, Key.ENTITIES, Status.TO_DO,
         "2 of 3 are not mapped. What belongs to them would be held."),
        ({"chart": Progress(read=40, uploaded=7)}, Key.CHART, Status.WORKING,
         "7 of 40 records are in Ramp."),
        ({"chart": Progress(read=40, uploaded=38, refused=2, is_read=True)}, Key.CHART,
         Status.DONE, "38 records. 2 refused."),
        ({"chart": Progress(problem="Tryton is silent.")}, Key.CHART, Status.BLOCKED,
         "Tryton is silent."),
        ({"chart": Progress(is_read=True)}, Key.CHART, Status.BLOCKED,
         "Tryton has no accounts to offer."),
        ({"has_posting_accounts": False}, Key.ACCOUNTS, Status.TO_DO,
         "Say which accounts of Tryton stand for what Ramp does not code."),
        ({"webhook_is_active": False, "webhook_is_pending": True}, Key.WEBHOOK, Status.WORKING,
         "Ramp is verifying it."),
        ({"is_live": True}, Key.FIRST, Status.WORKING, "Nothing is ready to sync in Ramp yet."),
        ({"is_live": True, "found": 3}, Key.FIRST, Status.WORKING, "3 on the way."),
        ({"is_live": True, "synced": 2}, Key.FIRST, Status.DONE, "2 synced so far."),
    ],
)  # fmt: skip
def test_each_step_says_where_it_stands(
    changes: dict[str, object], key: Key, status: Status, words: str
) -> None:
    found = step(replace(READY, **changes), key)  # type: ignore[arg-type]

    assert (found.status, found.words) == (status, words)


def test_a_step_that_comes_undone_shows_it_and_does_not_hide_what_is_done() -> None:
    facts = replace(READY, is_live=True, ramp=Side(is_known=True, title="Revoked."))

    assert step(facts, Key.RAMP).status is Status.BLOCKED
    assert step(facts, Key.RAMP).party is Party.CUSTOMER
    assert step(facts, Key.SEAT).status is Status.DONE


def test_nothing_is_left_once_the_first_object_is_through() -> None:
    assert current(steps(replace(READY, is_live=True, synced=1))) is None
