"""Switches in Ramp: wanted here, found there (R-12, R-43)."""

from collections.abc import Iterator

import pytest

from connections import services
from connections.models import Chore, Connection, Switch
from connections.ramp.client import RampClient
from connections.ramp.errors import RampUnreachable
from connections.ramp_simulator.app import Simulator
from connections.services import NotVerified
from connections.upkeep import chores, switches
from tests.connections.world import client_of, new_connection, simulator

pytestmark = pytest.mark.django_db

CREDITS = Switch.Name.VENDOR_CREDITS
VENDORS = Switch.Name.VENDOR_CREATION


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with simulator() as running:
        yield running


@pytest.fixture
def ramp(sim: Simulator) -> RampClient:
    return client_of(sim, sim.business("harbor-coffee"))


@pytest.fixture
def connection(ramp: RampClient) -> Connection:
    connection = new_connection()
    services.take_seat(connection, ramp)
    return connection


def turned_in_ramp(connection: Connection, ramp: RampClient, *, on: bool) -> None:
    assert connection.ramp_connection_id is not None
    ramp.update_connection(connection.ramp_connection_id, {"vendor_credits_enabled": on})


class TestSetSwitch:
    @pytest.mark.parametrize("name", list(Switch.Name))
    def test_turns_each_one_and_reads_it_back(
        self, connection: Connection, ramp: RampClient, name: Switch.Name
    ) -> None:
        switch = switches.set_switch(connection, ramp, name, on=True, actor="maya")

        assert (switch.wanted, switch.found, switch.wanted_by) == (True, True, "maya")
        assert switch.drifted_at is None
        assert connection.ramp_connection_id is not None
        shown = ramp.connection(connection.ramp_connection_id).settings
        assert shown is not None
        assert [key for key, value in shown.items() if value] == [name]

    def test_keeps_the_wish_when_ramp_does_not_answer(
        self, connection: Connection, ramp: RampClient, sim: Simulator
    ) -> None:
        sim.fault("answer", "PATCH /accounting/connection/{connection_id}", status=503)

        with pytest.raises(RampUnreachable):
            switches.set_switch(connection, ramp, CREDITS, on=True, actor="maya")

        switch = Switch.objects.get(name=CREDITS)
        assert (switch.wanted, switch.found) == (True, None)

    def test_needs_a_connection(self, ramp: RampClient) -> None:
        with pytest.raises(NotVerified, match="not connected in Ramp yet"):
            switches.set_switch(new_connection(), ramp, CREDITS, on=True, actor="maya")


class TestReadBack:
    def test_notices_what_somebody_has_turned_in_ramp(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        switches.set_switch(connection, ramp, CREDITS, on=True, actor="maya")
        turned_in_ramp(connection, ramp, on=False)

        switches.read_back(connection, ramp)
        switch = Switch.objects.get(name=CREDITS)
        assert (switch.wanted, switch.found) == (True, False)
        since = switch.drifted_at
        assert since is not None

        switches.read_back(connection, ramp)
        switch.refresh_from_db()
        assert switch.drifted_at == since, "it drifts since it was first seen"

    def test_is_content_once_ramp_is_as_wanted_again(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        switches.set_switch(connection, ramp, CREDITS, on=True, actor="maya")
        turned_in_ramp(connection, ramp, on=False)
        switches.read_back(connection, ramp)
        turned_in_ramp(connection, ramp, on=True)

        switches.read_back(connection, ramp)

        assert Switch.objects.get(name=CREDITS).drifted_at is None

    def test_what_nobody_has_decided_does_not_drift(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        turned_in_ramp(connection, ramp, on=True)

        found = {switch.name: switch for switch in switches.read_back(connection, ramp)}

        assert len(found) == len(Switch.Name)
        assert found[CREDITS].found is True
        assert found[VENDORS].found is False
        assert not any(switch.drifted_at for switch in found.values())

    def test_a_wish_on_its_way_is_no_drift(self, connection: Connection, ramp: RampClient) -> None:
        switches.wish(connection, CREDITS, on=True, actor="maya")
        chores.want(connection, Chore.Kind.SWITCH, actor="maya", about=CREDITS)

        switches.read_back(connection, ramp)

        assert Switch.objects.get(name=CREDITS).drifted_at is None

    def test_writes_nothing_where_nothing_changed(
        self, connection: Connection, ramp: RampClient
    ) -> None:
        switches.read_back(connection, ramp)
        before = list(Switch.objects.order_by("name").values_list("found_at", flat=True))

        switches.read_back(connection, ramp)

        assert list(Switch.objects.order_by("name").values_list("found_at", flat=True)) == before
