"""What keeps a wish from being carried out, in words for the implementer who made it."""

from dataclasses import dataclass

from connections.erp.errors import Category, ErpError
from connections.ramp import errors as ramp
from connections.secrets import NoCredential
from connections.services import ErpNotReady, NotVerified, SeatTaken


@dataclass(frozen=True, slots=True)
class Problem:
    """What happened and what to do. Both are fit to show."""

    title: str
    fix: str = ""
    will_pass: bool = False
    """Time mends it: the same is tried again."""


EXPECTED = (ramp.RampError, ErpError, NoCredential, SeatTaken, NotVerified, ErpNotReady)
"""What may come of speaking to either side; anything else is a mistake of ours."""


def problem(error: Exception) -> Problem:
    """The words for one of `EXPECTED`."""
    match error:
        case ramp.RampError():
            return of_ramp(error)
        case ErpError():
            return Problem(error.title, error.fix, error.category is Category.TRANSIENT)
        case SeatTaken():
            return Problem(str(error), error.fix)
        case NotVerified():
            return Problem(str(error), "It is looked at again.", will_pass=True)
        case _:
            return Problem(str(error))


def of_ramp(error: ramp.RampError) -> Problem:
    """Why Ramp does not do what was asked."""
    match error:
        case ramp.RampRateLimited():
            return Problem("Ramp asks us to slow down.", "It is tried again.", will_pass=True)
        case ramp.RampUnreachable():
            return Problem("Ramp did not answer.", "It is tried again.", will_pass=True)
        case ramp.RampUnauthorised():
            return Problem(
                "Ramp does not accept this client id and secret.",
                "Copy both from the app's page in Ramp, under Settings, Developer. An app whose"
                " secret was made anew or that was revoked needs its new secret here.",
            )
        case ramp.ScopeMissing():
            return Problem(
                f"In Ramp, the app lacks the permission {', '.join(error.scopes)}.",
                "Grant it on the app's page in Ramp, under Settings, Developer. Then check again.",
            )
        case ramp.NoConnection():
            return Problem(
                "Ramp has no active API accounting connection for this customer.",
                "Choose rampbridge under Accounting, Settings, Switch Providers in Ramp.",
            )
        case _:
            return Problem(
                "Ramp answered in a way that rampbridge does not know.",
                f"Ramp's support finds it as {error.trace_id}." if error.trace_id else "",
            )
