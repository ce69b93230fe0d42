"""Is the seat still ours? Asked before a run's first change, and when Ramp forbids one (M6)."""

from collections.abc import Callable
from dataclasses import dataclass

from connections.mirror.troubles import SeatLost
from connections.models import Connection, Mirror
from connections.ramp.client import RampClient


def check(connection: Connection, ramp: RampClient) -> None:
    """Look who has the business's active connection. One call.

    :raises SeatLost: if it is not ours, with the name of whoever has it
    """
    live = [one for one in ramp.all_connections() if one.is_live]
    prepared = Mirror.objects.filter(connection=connection, is_being_prepared=True)
    if any(one.id == connection.ramp_connection_id and one.is_api for one in live):
        prepared.update(is_being_prepared=False)  # the customer has switched to us
        return
    names = [one.remote_provider_name or one.connection_type.title() for one in live]
    raise SeatLost(names[0] if names else "", is_being_prepared=prepared.exists())


@dataclass
class Guard:
    """Asked before each change: the lease each time, the seat before the first one."""

    connection: Connection
    ramp: RampClient
    keep: Callable[[], None]
    is_checked: bool = False

    def __call__(self) -> None:
        """:raises SeatLost, LeaseLost, RampError: if nothing may be sent"""
        self.keep()
        if not self.is_checked:
            self.look_again()

    def look_again(self) -> None:
        """Ramp has refused in words that nobody knows, or lists none of ours: is it because of who
        has the seat?

        :raises SeatLost, RampError: if it is, or Ramp does not say
        """
        check(self.connection, self.ramp)
        self.is_checked = True
