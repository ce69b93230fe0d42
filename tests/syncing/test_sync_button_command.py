"""`manage.py sync_button`: the switch, from the command line."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from connections import clients
from syncing import button_switch
from syncing.models import Schedule
from tests.syncing.ramp import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Customer]:
    customer = Customer()
    monkeypatch.setattr(clients, "ramp_client", lambda _connection: customer.ramp)
    yield customer
    customer.sim.close()


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("sync_button", *arguments, stdout=out)
    return out.getvalue()


def test_it_says_whether_the_button_would_fit_and_changes_nothing(customer: Customer) -> None:
    Schedule.objects.update(posts_per_second=5)

    said = run(customer.connection.slug, "transaction", "would-it-fit")

    assert "takes 5.0 documents a second" in said
    assert customer.calls("PATCH /accounting/connection/{connection_id}") == 0


def test_a_button_that_does_not_fit_is_refused_with_the_reason(customer: Customer) -> None:
    with pytest.raises(CommandError, match="not measured yet"):
        run(customer.connection.slug, "reimbursement", "on")


def test_switched_it_says_so(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []

    def switch(_connection: object, _ramp: object, object_type: str, *, on: bool) -> None:
        asked.append((object_type, on))

    monkeypatch.setattr(button_switch, "set_sync_button", switch)

    said = run(customer.connection.slug, "transaction", "off")

    assert asked == [("transaction", False)]
    assert f"The sync button of {customer.connection.name} is off." in said


def test_an_unknown_customer_is_named_with_those_there_are(customer: Customer) -> None:
    with pytest.raises(CommandError, match=customer.connection.slug):
        run("nobody", "transaction", "on")
