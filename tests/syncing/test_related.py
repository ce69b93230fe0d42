"""What a page of an item shows beside it."""

import uuid

import pytest

from syncing.models import CardPayment, SyncItem
from syncing.queries.related import Links, related
from tests.factories import ConnectionFactory, SyncItemFactory

pytestmark = pytest.mark.django_db


def shown_beside(item: SyncItem, links: Links = Links()) -> dict[str, str]:  # noqa: B008  frozen
    """How others belong to an item, by their label."""
    return {one.item.label: one.how for one in related(item, links)}


class TestRelated:
    def test_are_a_bill_and_its_payment_to_each_other(self) -> None:
        bill = SyncItemFactory.create(object_type="bill", label="the bill")
        payment = SyncItemFactory.create(
            connection=bill.connection,
            object_type="bill_payment",
            ramp_id=bill.ramp_id,
            label="the payment",
        )

        assert shown_beside(bill) == {"the payment": "how it is paid"}
        assert shown_beside(payment) == {"the bill": "what is paid"}

    def test_are_the_bills_that_a_card_pays_and_their_payments(self) -> None:
        card = SyncItemFactory.create(object_type="transaction")
        for label, kind in (("the bill", "bill"), ("the payment", "bill_payment")):
            SyncItemFactory.create(
                connection=card.connection,
                object_type=kind,
                ramp_id=uuid.UUID(int=7),
                label=label,
            )
        CardPayment.objects.create(
            connection=card.connection,
            transaction_ramp_id=card.ramp_id,
            bill_ramp_id=uuid.UUID(int=7),
        )

        assert shown_beside(card) == {
            "the bill": "paid by this transaction",
            "the payment": "this transaction is the payment",
        }

    def test_are_what_the_object_itself_names(self) -> None:
        bill = SyncItemFactory.create(object_type="bill")
        card = SyncItemFactory.create(
            connection=bill.connection, object_type="transaction", label="the card"
        )

        found = shown_beside(bill, Links(card_transactions=[card.ramp_id]))

        assert found == {"the card": "pays this bill"}

    def test_are_of_the_same_customer(self) -> None:
        bill = SyncItemFactory.create(object_type="bill")
        SyncItemFactory.create(
            connection=ConnectionFactory.create(), object_type="bill_payment", ramp_id=bill.ramp_id
        )

        assert shown_beside(bill) == {}
