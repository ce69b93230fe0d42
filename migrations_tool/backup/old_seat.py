"""Whether the old connection still has the seat."""

from connections.ramp.schemas import AccountingConnection
from migrations_tool.wizard import Refused
from migrations_tool.work import Work


def check_seat(work: Work) -> AccountingConnection:
    """What Ramp lists is of the active connection: it must be the old one.

    :returns: the old connection
    :raises Refused: if nobody knows the old connection yet, or another one is active
    """
    migration = work.migration
    if migration.old_connection_id is None:
        raise Refused("The old connection is not known yet. Check step 0, Plan: it finds it.")
    work.keep()
    live = [one for one in work.ramp.all_connections() if one.is_live]
    found = next((one for one in live if one.id == migration.old_connection_id), None)
    if found is None:
        now = live[0].remote_provider_name if live else "nothing"
        old = migration.old_provider_name or "The old connection"
        raise Refused(
            f"{old} is no longer active in Ramp; {now} is. What is left of it can only be read"
            " while it is active. Find out who switched, and when."
        )
    return found
