"""A payment of the card balance comes when it is completed, whenever Ramp calls it ready."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connections.ramp.spend import Transfer
from syncing.decisions import Action, transfer_action
from syncing.kinds import KINDS, Standing
from syncing.models import SyncItem
from tests import spend
from tests.syncing.ramp import Customer, rewritten

UNDER_WAY = ("INITIATED", "UPLOADED", "SUBMITTED_TO_FED", "NOT_ACKED")


def standing(**changes: Any) -> Standing:
    return KINDS["transfer"].standing(Transfer.read(spend.transfer(**changes)))


@pytest.mark.parametrize("status", UNDER_WAY)
def test_one_under_way_is_not_ready_yet(status: str) -> None:
    assert transfer_action(Transfer.read(spend.transfer(status=status)))[0] is Action.WAIT
    assert standing(status=status) is Standing.NOT_READY


@pytest.mark.parametrize("status", ["COMPLETED", "RETURNED_BY_RDFI", "ERROR", "A_NEW_WORD"])
def test_what_is_posted_or_held_is_ready(status: str) -> None:
    assert standing(status=status) is Standing.READY


def test_one_that_is_synced_stays_so_whatever_its_status() -> None:
    assert standing(sync_status="SYNCED", status="INITIATED") is Standing.SYNCED


@pytest.fixture
def customer() -> Iterator[Customer]:
    made = Customer(types=["transfer"])
    yield made
    made.sim.close()


def with_status(status: str) -> Callable[[Any], None]:
    def change(document: dict[str, Any]) -> None:
        for row in document["data"]:
            row["status"] = status

    return rewritten(change, of=("transfers",))


@pytest.mark.django_db
def test_it_does_not_fail_meanwhile_and_is_there_once_completed(customer: Customer) -> None:
    transfer = customer.business.create_transfer(minor=5000)
    customer.http.event_hooks = {"response": [with_status("INITIATED")]}
    customer.pull()
    assert not SyncItem.objects.exists()

    customer.http.event_hooks = {}
    customer.pull()

    assert customer.state(transfer) == "READY"
