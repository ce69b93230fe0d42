"""What stops a chart, in words for the people who look after it. Pure."""

from dataclasses import dataclass
from datetime import timedelta

from connections.erp.errors import Category, ErpError
from connections.ramp import errors as ramp

ERP, RAMP = "erp", "ramp"
SEAT_TAKEN = "ramp.seat_taken"
BEING_PREPARED = "ramp.being_prepared"


class SeatLost(Exception):
    """Our connection does not hold the business's seat any more: nothing may be written (M6)."""

    def __init__(self, holder: str, *, is_being_prepared: bool = False) -> None:
        super().__init__(f"{holder or 'Nobody'} holds the seat.")
        self.holder = holder
        """Who does, as Ramp names it; empty: nobody."""
        self.is_being_prepared = is_being_prepared
        """Ours never had it so far: a migration prepares it, and all is well."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a run was broken off. `title` and `fix` are fit to show."""

    code: str
    title: str
    fix: str
    needs_person: bool
    """False: time mends it, and it is tried again by itself soon."""
    retry_after: timedelta | None = None

    @property
    def side(self) -> str:
        return self.code.partition(".")[0]


def of_erp(error: ErpError) -> Trouble:
    """The ERP's own words are written for its accountant already."""
    return Trouble(
        f"erp.{error.code}",
        error.title,
        error.fix,
        error.category is not Category.TRANSIENT,
        timedelta(seconds=error.retry_after) if error.retry_after else None,
    )


def of_ramp(error: ramp.RampError) -> Trouble:
    """Ramp's support finds the call by its trace id, so the words have it."""
    trace = f" Ramp's trace id: {error.trace_id}." if error.trace_id else ""
    match error:
        case ramp.RampRateLimited():
            return Trouble(
                "ramp.rate_limited",
                "Ramp's limit of requests is used up.",
                "Nothing to do: the upload goes on by itself.",
                needs_person=False,
                retry_after=error.retry_after,
            )
        case ramp.RampUnreachable():
            return Trouble(
                "ramp.unavailable",
                "Ramp did not answer.",
                "Nothing to do: what it got is looked up, and the rest is sent again." + trace,
                needs_person=False,
            )
        case ramp.RampUnauthorised():
            return Trouble(
                "ramp.unauthorised",
                "Ramp does not accept this customer's client id and secret.",
                "Enter the ones of the customer's app on the settings page." + trace,
                needs_person=True,
            )
        case ramp.ScopeMissing():
            return Trouble(
                "ramp.scope_missing",
                f"The app in Ramp lacks the scope {', '.join(error.scopes) or 'it needs'}.",
                "Ask the customer's admin to grant it in Ramp." + trace,
                needs_person=True,
            )
        case ramp.NoConnection():
            return seat_lost(SeatLost(""))
        case _:
            return Trouble(
                f"ramp.{(error.code or type(error).__name__).lower()}",
                f"Ramp refused: {error.message}"[:300],
                "Contact us; the rest of the chart waits until this is understood." + trace,
                needs_person=True,
            )


def seat_lost(error: SeatLost) -> Trouble:
    """What to do depends on who has the seat."""
    if error.is_being_prepared:
        return Trouble(
            BEING_PREPARED,
            "This customer is being migrated:"
            f" {error.holder or 'another integration'} is still active in Ramp."[:300],
            "Nothing is uploaded from here. The migration wizard uploads the chart to the new"
            " connection, in its step Preload.",
            needs_person=True,
        )
    if not error.holder:
        return Trouble(
            SEAT_TAKEN,
            "This customer has no active accounting connection of ours in Ramp any more.",
            "Nothing is uploaded. Connect it again on the settings page.",
            needs_person=True,
        )
    return Trouble(
        SEAT_TAKEN,
        f"{error.holder} is the active accounting connection in Ramp now."[:300],
        "Nothing is uploaded while it is, for Ramp lets us only read. Start a migration to bring"
        " this customer back to us.",
        needs_person=True,
    )


def without_credentials(reason: str, side: str) -> Trouble:
    """Nobody has entered them yet, or they were taken away."""
    return Trouble(
        f"{side}.no_credentials", reason, "Enter them on the settings page.", needs_person=True
    )


TAKEN_OVER = Trouble(
    "us.taken_over",
    "Another worker has taken over.",
    "Nothing to do: it goes on with the same work.",
    needs_person=False,
)


def unexpected(side: str) -> Trouble:
    """A mistake of ours, on the way to one side: it is over once that side's part went well."""
    return Trouble(
        f"{side}.unexpected",
        "Something went wrong that rampbridge did not foresee.",
        "Contact us: the log has it, by this customer's name and this time.",
        needs_person=True,
    )
