"""The command that plays the customer and their old provider in the pretend Ramp."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from connections.ramp_simulator.serving import Serving
from migrations_tool.models import OldRecord
from tests.migrations_tool.world import KEY, World

pytestmark = pytest.mark.django_db


@pytest.fixture
def served(world: World, settings: Settings) -> Iterator[World]:
    """Its Ramp on a port, for a program that comes from outside."""
    world.connection.slug = KEY
    world.connection.save(update_fields=["slug"])
    with Serving(world.sim, port=0, traffic_per_minute=0) as serving:
        settings.RAMP_API_URL = serving.address
        yield world


def test_the_old_provider_syncs_so_much_and_then_the_rest(served: World) -> None:
    call_command("play_customer", "sync-old", customer=KEY, most=1)
    assert served.business.transactions("SYNC_READY")

    call_command("play_customer", "sync-old", customer=KEY)

    assert not served.business.transactions("SYNC_READY")


def test_the_customer_switches_as_the_sheet_says_and_back(
    served: World, capsys: pytest.CaptureFixture[str]
) -> None:
    migration = served.migration
    migration.old_connection_id = served.old.id
    migration.save(update_fields=["old_connection_id"])
    OldRecord.objects.create(
        migration=migration, kind="account", old_id="62", name="Equipment", erp_id="6400"
    )
    ramp = served.ramp
    ours = ramp.create_connection(remote_provider_name="rampbridge", is_active=False)
    ramp.for_inactive(ours.id).upload_gl_accounts(
        [{"id": "6400", "name": "Office", "classification": "EXPENSE"}]
    )
    ramp.mark_ready_to_migrate(ours.id)
    rented = served.buy("640.00", "7100", merchant="United Rentals")

    call_command("play_customer", "flip", customer=KEY)

    assert ramp.connection(ours.id).is_live
    assert served.business.transaction(rented.id).lines[0].account_code == "6400"
    call_command("play_customer", "flip-back", customer=KEY)
    assert capsys.readouterr().out.splitlines() == [
        "rampbridge is active in Ramp now.",
        "QuickBooks Online is active in Ramp again.",
    ]


def test_a_switch_that_is_not_offered_is_told_in_words(served: World) -> None:
    assert served.migration.state == "open"

    with pytest.raises(CommandError, match="does not offer rampbridge"):
        call_command("play_customer", "flip", customer=KEY)


def test_a_customer_that_is_unknown_is_told() -> None:
    with pytest.raises(CommandError, match="no customer called nobody"):
        call_command("play_customer", "flip", customer="nobody")
