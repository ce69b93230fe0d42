"""An item is found by the end of its card, whenever Ramp told us of the card."""

from collections.abc import Iterator

import pytest

from connections.ramp_simulator.cards import last_four
from syncing.models import SyncItem
from syncing.payment_cards import mirror_cards
from tests.syncing.ramp import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Iterator[Customer]:
    customer = Customer()
    yield customer
    customer.sim.close()


def end_of_card(customer: Customer) -> str:
    """Of whoever buys in this business."""
    transactions = list(customer.sim.world.transactions.of(customer.business.key))
    person = customer.sim.world.people.get(transactions[0].person_id)
    assert person is not None
    return last_four(person.card_id)


def test_items_from_before_their_card_was_known_get_its_end(customer: Customer) -> None:
    customer.spend()
    customer.pull()
    assert SyncItem.objects.get().card_last_four == ""

    assert mirror_cards(customer.connection, customer.ramp) > 0

    assert SyncItem.objects.get().card_last_four == end_of_card(customer)


def test_an_item_of_a_known_card_has_its_end_at_once(customer: Customer) -> None:
    mirror_cards(customer.connection, customer.ramp)

    customer.spend()
    customer.pull()

    assert SyncItem.objects.get().card_last_four == end_of_card(customer)


def test_without_the_right_to_read_cards_all_else_goes_on(customer: Customer) -> None:
    customer.fault("scope_missing", "GET /cards")

    assert mirror_cards(customer.connection, customer.ramp) == 0
